package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// The names of the zones: one that holds a pool, one of 100,000 records, one of a million.
const (
	poolName  = "chat.pool.test."
	poolZone  = "pool.test."
	largeZone = "large.test."
	vastZone  = "vast.test."
)

const (
	largeRecords = 100_000
	vastRecords  = 1_000_000
	queryNames   = 10_000
)

// writeData writes the zone files and the lists of queries that all servers get alike.
func (c *contest) writeData() error {
	for name, write := range map[string]func(*bufio.Writer){
		"pool.zone": func(w *bufio.Writer) {
			head(w, poolZone)
			fmt.Fprintf(w, "%s 10 A 192.0.2.10\n", poolName)
		},
		"large.zone": func(w *bufio.Writer) { hosts(w, largeZone, largeRecords) },
		"vast.zone":  func(w *bufio.Writer) { hosts(w, vastZone, vastRecords) },
		"pool.txt":   func(w *bufio.Writer) { fmt.Fprintf(w, "%s A\n", poolName) },
		"large.txt":  func(w *bufio.Writer) { queries(w, largeZone) },
	} {
		if err := writeFile(filepath.Join(c.dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(*bufio.Writer)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	write(w)
	return w.Flush()
}

func head(w *bufio.Writer, zone string) {
	fmt.Fprintf(w, "$ORIGIN %s\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 900 86400 60\n@ NS ns1\nns1 A %s\n", zone, serverAddr)
}

// hosts is a zone with n addresses, a wildcard and delegations.
func hosts(w *bufio.Writer, zone string, n int) {
	head(w, zone)
	fmt.Fprintln(w, "*.wild A 192.0.2.77")
	for i := range 100 {
		fmt.Fprintf(w, "sub%02d NS ns.sub%02d\nns.sub%02d A 192.0.2.%d\n", i, i, i, i+1)
	}
	for i := range n - 304 {
		fmt.Fprintf(w, "host-%07d A 10.%d.%d.%d\n", i, i>>16&255, i>>8&255, i&255)
	}
}

// lastName is the owner of an address at the end of a zone's file.
func lastName(z zone) string {
	switch z.name {
	case poolZone:
		return poolName
	case largeZone, vastZone:
		n := map[string]int{largeZone: largeRecords, vastZone: vastRecords}[z.name]
		return fmt.Sprintf("host-%07d.%s", n-305, z.name)
	}
	return "www." + z.name
}

// queries are 70 % hits, 15 % NXDOMAIN, 5 % NODATA, 5 % below a wildcard and 5 % below a delegation, over queryNames names.
func queries(w *bufio.Writer, zone string) {
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range queryNames {
		host := chance.IntN(largeRecords - 304)
		switch p := i % 100; {
		case p < 70:
			fmt.Fprintf(w, "host-%07d.%s A\n", host, zone)
		case p < 85:
			fmt.Fprintf(w, "none-%07d.%s A\n", host, zone)
		case p < 90:
			fmt.Fprintf(w, "host-%07d.%s MX\n", host, zone)
		case p < 95:
			fmt.Fprintf(w, "w%d.wild.%s A\n", host, zone)
		default:
			fmt.Fprintf(w, "w%d.sub%02d.%s A\n", host, host%100, zone)
		}
	}
}
