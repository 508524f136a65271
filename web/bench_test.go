package web

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func BenchmarkDescribe(b *testing.B) {
	in := seen(b)
	for b.Loop() {
		new(Status).Describe(in)
	}
}

func BenchmarkScrape(b *testing.B) {
	in := seen(b)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(newMetrics(func() *Status { s := new(Status); s.Describe(in); return s }))
	for b.Loop() {
		if _, err := r.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
