// Package house holds tests only: the rules of the house.
package house
