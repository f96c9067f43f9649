package main

import (
	"bytes"
	"strconv"
	"strings"
)

// As JavaScript writes it, with three digits after the point at most.
func trimmed(number float64) string {
	text := strconv.FormatFloat(number, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Go writes `&` of a url as an escape; the reference does not.
func unescaped(line []byte) []byte {
	return bytes.ReplaceAll(line, []byte(`\u0026`), []byte("&"))
}
