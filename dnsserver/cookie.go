package dnsserver

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
	"net/netip"
)

const (
	clientCookie = 8
	serverCookie = 16 // version 1, three reserved octets, time, hash: RFC 9018 section 4
	cookieSize   = clientCookie + serverCookie

	cookieMaxAge  = 3600 // seconds that a server cookie is good for
	cookieRenew   = 1800 // seconds after which a good one is replaced
	cookieForward = 300  // seconds by which other nameservers' clocks may be ahead
)

// cookieJar holds the secrets of RFC 9018 server cookies: the first signs, all verify. Nameservers that share a file
// accept each other's cookies, and a secret is rotated by adding the new one last everywhere, then moving it first,
// then removing the old one.
type cookieJar struct{ secrets [][16]byte }

// newCookieJar makes up a secret that lives as long as the process.
func newCookieJar() *cookieJar {
	jar := &cookieJar{secrets: make([][16]byte, 1)}
	rand.Read(jar.secrets[0][:]) // never fails: crypto/rand ends the program instead
	return jar
}

// verify reports which of the secrets, counted from 0, made the server cookie in cookie, a query's whole option, for
// this client at a time near now, and how many seconds ago; -1 when none did. Times are serial numbers (RFC 1982).
func (j *cookieJar) verify(cookie []byte, client netip.Addr, now uint32) (secret int, age int32) {
	if len(cookie) != cookieSize || cookie[8] != 1 {
		return -1, 0
	}
	age = int32(now - binary.BigEndian.Uint32(cookie[12:]))
	if age > cookieMaxAge || age < -cookieForward {
		return -1, age
	}
	for i := range j.secrets {
		want := hashCookie(&j.secrets[i], cookie[:16], client)
		if subtle.ConstantTimeCompare(want[:], cookie[16:]) == 1 {
			return i, age
		}
	}
	return -1, age
}

// respond makes the whole cookie for a response: the query's own while it is fresh and of the signing secret, else a
// new one. valid tells whether the query's was good.
func (j *cookieJar) respond(out *[cookieSize]byte, cookie []byte, client netip.Addr, now uint32) (valid bool) {
	secret, age := j.verify(cookie, client, now)
	if secret == 0 && age <= cookieRenew {
		copy(out[:], cookie)
		return true
	}
	copy(out[:], cookie[:clientCookie])
	out[8], out[9], out[10], out[11] = 1, 0, 0, 0
	binary.BigEndian.PutUint32(out[12:], now)
	hash := hashCookie(&j.secrets[0], out[:16], client)
	copy(out[16:], hash[:])
	return secret >= 0
}

// hashCookie is SipHash-2-4 over the client cookie, the server cookie's first half and the client's address: 4 octets of IPv4 or 16 of IPv6.
func hashCookie(secret *[16]byte, head []byte, client netip.Addr) (out [8]byte) {
	var buf [32]byte
	n := copy(buf[:], head)
	if client = client.Unmap(); client.Is4() {
		four := client.As4()
		n += copy(buf[n:], four[:])
	} else {
		sixteen := client.As16()
		n += copy(buf[n:], sixteen[:])
	}
	binary.LittleEndian.PutUint64(out[:], sipHash24(secret, buf[:n]))
	return out
}

// sipHash24 is SipHash-2-4 with 64 bits of output (Aumasson and Bernstein, 2012).
func sipHash24(key *[16]byte, msg []byte) uint64 {
	k0, k1 := binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])
	v := sipState{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	last := uint64(len(msg)) << 56
	for ; len(msg) >= 8; msg = msg[8:] {
		v.compress(binary.LittleEndian.Uint64(msg))
	}
	for i, b := range msg {
		last |= uint64(b) << (8 * i)
	}
	v.compress(last)
	v.v2 ^= 0xff
	for range 4 {
		v.round()
	}
	return v.v0 ^ v.v1 ^ v.v2 ^ v.v3
}

type sipState struct{ v0, v1, v2, v3 uint64 }

func (v *sipState) compress(word uint64) {
	v.v3 ^= word
	v.round()
	v.round()
	v.v0 ^= word
}

func (v *sipState) round() {
	v.v0 += v.v1
	v.v1 = bits.RotateLeft64(v.v1, 13) ^ v.v0
	v.v0 = bits.RotateLeft64(v.v0, 32)
	v.v2 += v.v3
	v.v3 = bits.RotateLeft64(v.v3, 16) ^ v.v2
	v.v0 += v.v3
	v.v3 = bits.RotateLeft64(v.v3, 21) ^ v.v0
	v.v2 += v.v1
	v.v1 = bits.RotateLeft64(v.v1, 17) ^ v.v2
	v.v2 = bits.RotateLeft64(v.v2, 32)
}
