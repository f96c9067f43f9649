// Queries of Nexmark that Benthos can express, as its configurations: a file of JSON lines, mappings, and an output. Takes requests, one JSON object a
// line, and answers with one line each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// Each query is a Bloblang mapping of one event to its row.
var mappings = map[string]string{
	"q0":  `root = if this.kind == "bid" { [this.auction, this.bidder, this.price, this.dateTime, this.extra] } else { deleted() }`,
	"q1":  `root = if this.kind == "bid" { [this.auction, this.bidder, 0.908 * this.price, this.dateTime, this.extra] } else { deleted() }`,
	"q2":  `root = if this.kind == "bid" && this.auction % 123 == 0 { [this.auction, this.price] } else { deleted() }`,
	"q13": `root = if this.kind == "bid" { [this.auction, this.bidder, this.price, this.dateTime, (this.auction % 10000).string()] } else { deleted() }`,
	"q14": `let euros = if this.kind == "bid" { 0.908 * this.price } else { 0 }
let hour = (this.dateTime / 1000).floor() % 86400 / 3600
let time = if $hour >= 8 && $hour < 19 { "dayTime" } else if $hour < 7 || $hour >= 20 { "nightTime" } else { "otherTime" }
root = if $euros > 1000000 && $euros < 50000000 { [this.auction, this.bidder, $euros, $time, this.dateTime, this.extra, this.extra.length() - this.extra.replace_all("c", "").length()] } else { deleted() }`,
	// Within `match`, `this` is what is matched.
	"q21": `let lower = this.channel.or("").lowercase()
let url = this.url.or("")
let found = match $lower {
  "apple" => "0"
  "google" => "1"
  "facebook" => "2"
  "baidu" => "3"
  _ => $url.re_find_all_submatch("(?:&|^)channel_id=([^&]*)").index(0).index(1).catch(null)
}
root = if this.kind == "bid" && $found != null { [this.auction, this.bidder, this.price, this.channel, $found] } else { deleted() }`,
	"q22": `let parts = this.url.or("").split("/")
root = if this.kind == "bid" { [this.auction, this.bidder, this.price, this.channel, $parts.index(3), $parts.index(4), $parts.index(5)] } else { deleted() }`,
}

type request struct {
	Query  string `json:"query"`
	Events int64  `json:"events"`
	Lines  string `json:"lines"`
	Rows   string `json:"rows"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked request
		reply, err := map[string]any{}, json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			reply, err = answer(asked)
		}
		if err != nil {
			reply = map[string]any{"error": err.Error()}
		}
		if err := answers.Encode(reply); err != nil {
			os.Exit(1)
		}
	}
}

func answer(asked request) (map[string]any, error) {
	mapping, ok := mappings[asked.Query]
	if !ok {
		return map[string]any{"unsupported": "it keeps no state by key and event time"}, nil
	}
	builder := service.NewStreamBuilder()
	builder.SetThreads(0)
	if err := builder.SetLoggerYAML("level: NONE"); err != nil {
		return nil, err
	}
	if err := builder.AddInputYAML(fmt.Sprintf("file: { paths: [%q], scanner: { lines: {} } }", asked.Lines)); err != nil {
		return nil, err
	}
	processor, err := json.Marshal(map[string]any{"mapping": mapping})
	if err != nil {
		return nil, err
	}
	if err := builder.AddProcessorYAML(string(processor)); err != nil {
		return nil, err
	}
	var count atomic.Int64
	var file *bufio.Writer
	if asked.Rows != "" {
		opened, err := os.Create(asked.Rows)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		file = bufio.NewWriter(opened)
		defer file.Flush()
	}
	if err := builder.AddConsumerFunc(func(_ context.Context, message *service.Message) error {
		count.Add(1)
		if file == nil {
			return nil
		}
		return writeRow(file, message)
	}); err != nil {
		return nil, err
	}
	stream, err := builder.Build()
	if err != nil {
		return nil, err
	}
	cpuBefore, began := processorSeconds(), time.Now()
	if err := stream.Run(context.Background()); err != nil {
		return nil, err
	}
	return map[string]any{
		"seconds":     time.Since(began).Seconds(),
		"cpu_seconds": processorSeconds() - cpuBefore,
		"rows":        count.Load(),
	}, nil
}

// Fractions have three digits at most.
func writeRow(file *bufio.Writer, message *service.Message) error {
	row, err := message.AsStructured()
	if err != nil {
		return err
	}
	cells, ok := row.([]any)
	if !ok {
		return fmt.Errorf("a row is no list: %v", row)
	}
	for at, cell := range cells {
		if number, ok := cell.(float64); ok {
			cells[at] = json.Number(trimmed(number))
		}
	}
	bytes, err := json.Marshal(cells)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s\n", unescaped(bytes))
	return err
}

func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	seconds := func(at syscall.Timeval) float64 { return float64(at.Sec) + float64(at.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
