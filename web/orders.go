package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/livens/livens/failover"
)

func (s *Server) order(w http.ResponseWriter, r *http.Request) {
	o, ok := readOrder(w, r)
	if !ok {
		return
	}
	receipt, err := s.options.Order(r.Context(), o)
	outcome(w, receipt, err)
}

func (s *Server) forecast(w http.ResponseWriter, r *http.Request) {
	o, ok := readOrder(w, r)
	if !ok {
		return
	}
	forecast, err := s.options.Foresee(r.Context(), o)
	outcome(w, forecast, err)
}

// readOrder takes the order out of a request. Where there is none it replies so, and ok is false.
func readOrder(w http.ResponseWriter, r *http.Request) (o failover.Order, ok bool) {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	body.DisallowUnknownFields()
	err := body.Decode(&o)
	if err == nil {
		if _, rest := body.Token(); !errors.Is(rest, io.EOF) {
			err = errors.New("something follows the order")
		}
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
	}
	return o, err == nil
}

// outcome replies with what came of an order, or of looking at one.
func outcome(w http.ResponseWriter, document any, err error) {
	switch {
	case errors.Is(err, failover.ErrRefused):
		writeError(w, http.StatusConflict, err)
	case err != nil:
		writeError(w, http.StatusInternalServerError, err)
	default:
		writeJSON(w, http.StatusOK, document)
	}
}

// shownEvents is how many events are shown unless somebody asks for more.
const shownEvents = 20

func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	n := shownEvents
	if written := r.URL.Query().Get("n"); written != "" {
		var err error
		if n, err = strconv.Atoi(written); err != nil {
			writeError(w, http.StatusBadRequest, errors.New("n is how many events are wanted; -1 means all"))
			return
		}
	}
	writeJSON(w, http.StatusOK, Events{s.options.Events(n, r.URL.Query().Get("pool"))})
}
