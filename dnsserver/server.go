// Package dnsserver answers DNS queries from compiled zones and decisions.
//
// compile turns a failover.Publication into packed answers, answer is a pure function from snapshot and query bytes
// to response bytes, and the listeners only move bytes. The query path reads one atomic pointer: no lock, no log
// line, no allocation, no health look-up.
package dnsserver
