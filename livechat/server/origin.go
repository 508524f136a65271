package server

import (
	"net/http"
	"net/url"
	"strings"
)

// origins are those of pages that may connect, besides a deployment's own.
type origins map[string]bool

// originsOf are the given ones, and those of the URLs, at which pages may be served as well.
func originsOf(given, urls []string) origins {
	o := origins{}
	for _, g := range given {
		o[strings.ToLower(g)] = true
	}
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil {
			o[strings.ToLower(strings.Replace(u.Scheme, "ws", "http", 1)+"://"+u.Host)] = true
		}
	}
	return o
}

// allow judges a request by its Origin header. Without one it is not from a browser's page.
func (o origins) allow(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || o[strings.ToLower(origin)] {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
