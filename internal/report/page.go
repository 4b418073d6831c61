package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
)

// Page is a report.
type Page struct {
	Title    string
	Lead     []string // paragraphs, for who knows nothing of it
	Sections []Section
	Caveats  []string
	Again    []string // commands that measure it again
	Origin   Origin
}

// Section is about one question.
type Section struct {
	ID    string // to link to
	Title string
	Text  []string
	Parts []Part
}

// Part is a chart, a table, or a chart and the numbers of it.
type Part struct {
	Title string
	Chart Chart
	Table *Table
	// Open says that the table is to be read, and not only for who wants the numbers.
	Open bool
}

// Chart draws itself.
type Chart interface{ Draw() template.HTML }

var (
	_ Chart = Ranges{}
	_ Chart = Bars{}
	_ Chart = Curves{}
)

// Table has its first columns, Words of them, on the left, and numbers in the others.
type Table struct {
	Head  []string
	Words int
	Rows  [][]string
}

// Numeric tells whether a column is of numbers.
func (t Table) Numeric(column int) bool { return column >= t.Words }

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Save writes the page to a file, in a directory that is made.
func (p Page) Save(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := p.Write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
