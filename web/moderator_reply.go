package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

// Active is the document of GET /v1/pools/NAME. It is made of the decision alone, so that nameservers that agree reply
// with the same bytes.
type Active struct {
	Pool   string            `json:"pool"`
	Active string            `json:"active"` // the deployment that answers; of several the first
	Order  []string          `json:"order"`  // all deployments, the best to try first
	Epoch  uint64            `json:"epoch"`
	States map[string]string `json:"states"` // up, down, unknown or drain
}

// activeOf draws the document from a decision.
func activeOf(d *failover.Decision) *Active {
	a := &Active{Pool: d.Pool, Active: d.Active[0], Epoch: d.Epoch, States: make(map[string]string, len(d.Deployments))}
	sorted := slices.Clone(d.Deployments)
	slices.SortStableFunc(sorted, func(a, b failover.DeploymentState) int { return rank(&a) - rank(&b) })
	for i := range sorted {
		a.Order = append(a.Order, sorted[i].Name)
		a.States[sorted[i].Name] = stateWord(&sorted[i])
	}
	return a
}

// rank orders deployments for a client: those that answer, then by how likely they serve it.
func rank(d *failover.DeploymentState) int {
	if d.Answers {
		return 0
	}
	return map[string]int{"up": 1, "unknown": 2, "drain": 3, "down": 4}[stateWord(d)]
}

func stateWord(d *failover.DeploymentState) string {
	if d.Drained != "" && d.State != checker.Down {
		return "drain"
	}
	return d.State.String()
}

// poolReply is what polls of a pool get; nil decision: nothing was decided yet.
func poolReply(d *failover.Decision) *reply {
	if d == nil {
		return &reply{}
	}
	body, err := json.Marshal(activeOf(d))
	if err != nil {
		panic(err) // strings and numbers marshal
	}
	out := newReply(append(body, '\n'), "application/json", "public, max-age=1")
	out.decision = d
	return out
}

// reply is a page as it is sent, with its headers.
type reply struct {
	decision *failover.Decision // that it was made of
	body     []byte             // empty: nothing was decided yet
	etag     string             // strong, with its quotes
	header   http.Header        // of a reply with the body
}

func newReply(body []byte, kind, caching string) *reply {
	sum := sha256.Sum256(body)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return &reply{body: body, etag: etag, header: http.Header{
		"Content-Type": {kind}, "Cache-Control": {caching}, "Etag": {etag}, "Content-Length": {strconv.Itoa(len(body))},
	}}
}

// zip packs a page once for all.
func zip(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // memory takes it
	}
	return out.Bytes()
}

// takesGzip says whether a client takes gzip (RFC 9110 section 12.5.3), as all browsers say in the same words.
func takesGzip(r *http.Request) bool {
	for _, list := range r.Header.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(list, ",") {
			if strings.TrimSpace(one) == "gzip" {
				return true
			}
		}
	}
	return false
}

// send sends the page, or says that the client has it, and returns the status.
func (p *reply) send(w http.ResponseWriter, r *http.Request) int {
	h := w.Header()
	maps.Copy(h, p.header)
	if matches(r.Header.Values("If-None-Match"), p.etag) {
		for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
			delete(h, name)
		}
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.body) // a client that went away is no news
	}
	return http.StatusOK
}

// matches says whether If-None-Match names the ETag (RFC 9110 section 13.1.2: a weak comparison).
func matches(headers []string, etag string) bool {
	for _, list := range headers {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
				return true
			}
		}
	}
	return false
}
