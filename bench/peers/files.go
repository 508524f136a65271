package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// write writes peers.csv, with every value, and peers.svg into a folder.
func (r *report) write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, "peers.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	rows := [][]string{{"figure", "server", "round", "value"}}
	for _, figure := range r.figures() {
		for _, s := range r.Servers {
			for round, v := range r.Values[figure][s] {
				rows = append(rows, []string{figure, s, strconv.Itoa(round + 1), strconv.FormatFloat(v, 'g', 6, 64)})
			}
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "peers.svg"), []byte(r.plot()), 0o644)
}

const (
	plotLeft   = 110
	plotWidth  = 420
	barHeight  = 15
	plotMargin = 20
)

// plot draws a group of bars for each figure in which livens has peers: medians as shares of the largest, the rounds as dots.
func (r *report) plot() string {
	var b strings.Builder
	y := plotMargin
	for _, t := range targets {
		most := 0.0
		for _, s := range r.Servers {
			for _, v := range r.Values[t.figure][s] {
				most = math.Max(most, v)
			}
		}
		if t.alone || most == 0 {
			continue
		}
		y += 14
		better := "more is better"
		if t.less {
			better = "less is better"
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=\"h\">%s</text><text x=\"%d\" y=\"%d\" class=\"n\" text-anchor=\"end\">%s</text>\n",
			plotMargin, y, t.figure, plotLeft+plotWidth+90, y, better)
		for _, s := range r.Servers {
			values := r.Values[t.figure][s]
			if len(values) == 0 {
				continue
			}
			y += barHeight + 3
			class := "bar"
			if s == livens || s == livensXDP {
				class = "own"
			}
			length := median(values) / most * plotWidth
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>",
				plotLeft-8, y, s, plotLeft, y-barHeight+3, length, barHeight, class)
			for _, v := range values {
				fmt.Fprintf(&b, "<circle cx=\"%.1f\" cy=\"%d\" r=\"1.6\"/>", plotLeft+v/most*plotWidth, y-barHeight/2+3)
			}
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s</text>\n", plotLeft+plotWidth+8, y, cell(values))
		}
		y += 18
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="11">
<style>.h{font-weight:600;font-size:12px}.n{fill:#777}.bar{fill:#b8c4d6}.own{fill:#2f6fde}circle{fill:#1b2430;opacity:.55}</style>
<rect width="100%%" height="100%%" fill="#fff"/>
%s</svg>
`, plotLeft+plotWidth+110, y+plotMargin, b.String())
}
