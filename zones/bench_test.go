package zones

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkLoadMillionRecords loads one zone file of a million records, state folder included.
func BenchmarkLoadMillionRecords(b *testing.B) {
	dir := b.TempDir()
	writeLarge(b, filepath.Join(dir, "zones", "db.large"), 1_000_000)
	write(b, filepath.Join(dir, "zones", "large.toml"), "[zone]\nname = \"large.test\"\nzonefile = \"db.large\"\n")
	c := &Config{File: filepath.Join(dir, "livens.toml"), Zones: filepath.Join(dir, "zones"), State: filepath.Join(dir, "state")}
	for b.Loop() {
		set, problems := NewLoader().Load(c)
		if len(problems) > 0 || len(set.Zones) != 1 {
			b.Fatal(problems)
		}
		b.StopTimer()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-live")
		b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-peak")
		runtime.KeepAlive(set)
		b.StartTimer()
	}
}

// BenchmarkReloadManyZones reloads 10,000 unchanged zone files.
func BenchmarkReloadManyZones(b *testing.B) {
	c := manyZones(b, 10_000)
	l := NewLoader()
	if set, problems := l.Load(c); len(set.Zones) != 10_000 {
		b.Fatal(problems)
	}
	for b.Loop() {
		l.Load(c)
	}
}

// BenchmarkLoadManyZones loads 10,000 zone files as a first start does, state folder included.
func BenchmarkLoadManyZones(b *testing.B) {
	c := manyZones(b, 10_000)
	for b.Loop() {
		b.StopTimer()
		if err := os.RemoveAll(c.State); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if set, problems := NewLoader().Load(c); len(set.Zones) != 10_000 {
			b.Fatal(problems)
		}
	}
}

func manyZones(tb testing.TB, n int) *Config {
	dir := tb.TempDir()
	for i := range n {
		write(tb, filepath.Join(dir, "zones", fmt.Sprintf("z%d.toml", i)), fmt.Sprintf(`[zone]
name = "z%[1]d.test"
ns = ["ns1", "ns2"]
contact = "hostmaster@example.com"
records = ["ns1 A 192.0.2.1", "ns2 A 192.0.2.2", "@ MX 10 mail.example.com."]
[pool.p%[1]d]
answers = ["@", "www"]
check = { type = "tcp", port = 80 }
[[pool.p%[1]d.deployment]]
name = "a"
addresses = ["192.0.2.10"]
[[pool.p%[1]d.deployment]]
name = "b"
addresses = ["192.0.2.20"]
`, i))
	}
	return &Config{File: filepath.Join(dir, "livens.toml"), Zones: filepath.Join(dir, "zones"), State: filepath.Join(dir, "state")}
}

func writeLarge(tb testing.TB, path string, n int) {
	tb.Helper()
	write(tb, path, "")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprint(w, "$TTL 300\n@ SOA ns1 hostmaster.example.com. 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n")
	for i := 4; i < n; i++ {
		switch i % 4 {
		case 0:
			fmt.Fprintf(w, "host%d A 10.%d.%d.%d\n", i, i>>16&255, i>>8&255, i&255)
		case 1:
			fmt.Fprintf(w, "host%d AAAA 2001:db8::%x:%x\n", i-1, i>>16, i&0xffff)
		case 2:
			fmt.Fprintf(w, "host%d MX 10 mail.example.com.\n", i)
		case 3:
			fmt.Fprintf(w, "host%d TXT \"record number %d\"\n", i, i)
		}
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

// write makes a file and the folders above it.
func write(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		tb.Fatal(err)
	}
}
