package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"pagbot/store"
)

// BenchmarkCommit keeps documents of 1 KB from several writers, and in the same
// run puts as many values with bbolt's own Update and Batch. The ratios say how
// often faster this store is.
func BenchmarkCommit(b *testing.B) {
	body := make([]byte, 1024)
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, file(b), nil)
			ours := race(b, writers, func(key string) error {
				return s.Commit(b.Context(), store.Turn{Docs: []store.Doc{{Kind: "ask", Key: key, Body: body}}})
			})
			update := race(b, writers, plain(b, body, (*bbolt.DB).Update))
			batch := race(b, writers, plain(b, body, (*bbolt.DB).Batch))
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/op")
			b.ReportMetric(float64(b.N)/ours.Seconds(), "turns/s")
			b.ReportMetric(update.Seconds()/ours.Seconds(), "×Update")
			b.ReportMetric(batch.Seconds()/ours.Seconds(), "×Batch")
		})
	}
}

// plain puts a value into a bucket, by one of bbolt's own ways.
func plain(b *testing.B, body []byte, in func(*bbolt.DB, func(*bbolt.Tx) error) error) func(string) error {
	b.Helper()
	db, err := bbolt.Open(file(b), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	bucket := []byte("b")
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(bucket); return err }); err != nil {
		b.Fatal(err)
	}
	return func(key string) error {
		return in(db, func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(key), body) })
	}
}

// race lets writers put b.N keys and gives the time that took.
func race(b *testing.B, writers int, put func(key string) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := put(fmt.Sprintf("%010d", i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(begin)
}
