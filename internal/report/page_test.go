package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// "go test ./integration/report -update" writes the page that is wanted; look at it in a browser, in light and in dark.
var update = flag.Bool("update", false, "write testdata/page.html")

// sample has one of everything, and names that must not become markup.
func sample() Page {
	return Page{
		Title: "A <report>",
		Lead:  []string{"What it is about & for whom."},
		Sections: []Section{
			{ID: "ranges", Title: "Ranges", Text: []string{"How long."}, Parts: []Part{{
				Title: "One",
				Chart: Ranges{Axis: "time", Unit: Microseconds, Rows: []Range{
					{Group: "1 connection", Label: "mayfly", Note: "85.0 µs", P50: 85, P99: 804, P999: 2100},
					{Group: "1 connection", Label: "<other>", Note: "1.20 ms (×0.07)", Series: 1, P50: 1200, P99: 1500},
					{Group: "8 connections", Label: "few", Note: "20.0 µs", Series: 2, P50: 20},
				}},
				Table: &Table{Words: 1, Head: []string{"server", "p50"}, Rows: [][]string{{"mayfly", "85.0 µs"}, {"<other>", "1.20 ms"}}},
			}}},
			{ID: "bars", Title: "Bars", Parts: []Part{
				{Chart: Bars{Axis: "requests in a second", Unit: PerSecond, Rows: []Bar{
					{Label: "mayfly", Note: "15,000/s", Value: 15000, Low: 14000, High: 16500},
					{Label: "other", Note: "900/s", Series: 3, Value: 900},
				}}},
				{Chart: Bars{Axis: "memory", Unit: Bytes, Log: true, Rows: []Bar{
					{Group: "C", Label: "mayfly", Note: "0.7 → 3.1 MB", Value: 7e5, Behind: 3.1e6},
					{Group: "C", Label: "other", Note: "200 → 230 MB", Series: 4, Value: 2e8, Behind: 2.3e8},
				}}},
			}},
			{ID: "curves", Title: "Curves", Parts: []Part{
				{Chart: Curves{Axis: "requests", Unit: Microseconds, Lines: []Curve{
					{Label: "mayfly", Q: []float64{0, 0.5, 0.9, 0.99, 0.999}, V: []float64{40, 85, 120, 804, 2100}},
					{Label: "other", Series: 5, Q: []float64{0, 0.5, 0.9}, V: []float64{90, 100, 3000}},
				}}},
				{Table: &Table{Words: 2, Head: []string{"name", "what", "n"}, Rows: [][]string{{"a", "b", "3"}}}, Open: true},
			}},
		},
		Caveats: []string{"The machine is noisy."},
		Again:   []string{"make bench"},
		Origin: Origin{
			Command: "make bench", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Commit: "v1-2-gabc", CPU: "A Processor", CPUs: 2,
			Memory: "8.0 GiB", System: "linux/amd64 6.18", Go: "go1.26", Load: "0.1, 0.2, 0.3",
		},
	}
}

func TestAPageIsWhatItWas(t *testing.T) {
	var got bytes.Buffer
	if err := sample().Write(&got); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/page.html"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the page is not %s: see what has changed, then run: go test ./integration/report -update", golden)
	}
}

func TestAPageNeedsNothingElse(t *testing.T) {
	var page bytes.Buffer
	if err := sample().Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"<script", "<link", "<img", "@import", "url(", "http://", "https://", "src="} {
		if strings.Contains(page.String(), foreign) {
			t.Errorf("the page has %s", foreign)
		}
	}
}

func TestNamesDoNotBecomeMarkup(t *testing.T) {
	var page bytes.Buffer
	if err := sample().Write(&page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "<other>") || strings.Contains(page.String(), "<report>") || !strings.Contains(page.String(), "&lt;other&gt;") {
		t.Error("a name was not escaped")
	}
}

func TestEveryChartIsADrawingThatIsWhole(t *testing.T) {
	charts := []Chart{Ranges{Axis: "none"}, Bars{Axis: "none"}, Bars{Axis: "none", Log: true}, Curves{Axis: "none"}} // of nothing
	for _, s := range sample().Sections {
		for _, p := range s.Parts {
			if p.Chart != nil {
				charts = append(charts, p.Chart)
			}
		}
	}
	for _, c := range charts {
		d := xml.NewDecoder(strings.NewReader(string(c.Draw())))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%T: %v", c, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				for _, a := range e.Attr {
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
						t.Errorf("%T: <%s %s=%q>", c, e.Name.Local, a.Name.Local, a.Value)
					}
				}
			}
		}
	}
}

func TestAPageIsSavedInADirectoryThatIsMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out", "page.html")
	if err := sample().Save(file); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasSuffix(strings.TrimSpace(string(text)), "</html>") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestHereIsKnown(t *testing.T) {
	o := Here("make bench", time.Now())
	if o.CPUs < 1 || o.Go == "" || o.System == "" || o.Commit == "" || o.CPU == "" || o.Memory == "" || o.Load == "" {
		t.Errorf("%+v: what cannot be told is unknown, and not nothing", o)
	}
}
