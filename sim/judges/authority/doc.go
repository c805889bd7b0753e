// Package authority has the simulated Entra authority judged by somebody who
// never saw it: openid-client, a certified OpenID client of the JavaScript
// world, signs in with it (client.mjs). The other way round, server.mjs is
// oauth2-mock-server, an authority that somebody else wrote, on which the bot's
// own sign-in is tried (graph/signin).
//
// Both need their npm packages: `npm ci` in this folder. Without them the tests
// skip themselves and say so.
package authority
