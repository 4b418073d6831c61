// Package report makes a page of HTML of what was measured: a file that needs no other, no script, no font and no network, that can be
// read in light and in dark, printed, and by who does not tell red from green.
//
// A [Page] is sections of charts and tables. There are three charts: [Ranges] shows where the middle and the slow end of a sample are,
// [Bars] compares amounts, [Curves] shows a whole distribution. [Here] tells what machine it was measured on.
//
// It is for the benchmarks of this repository: it knows nothing of what is measured, and reads no files of results.
package report
