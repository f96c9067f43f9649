// Reads the embedded store with the driver that Grafana's ClickHouse plugin uses, over HTTP as the data source is set up, and prints
// what it got as JSON. Arguments: host:port, then queries.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

type answer struct {
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
	Rows    [][]any  `json:"rows"`
	Error   string   `json:"error,omitempty"`
}

func main() {
	db := clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{os.Args[1]},
		Protocol:    clickhouse.HTTP,
		Auth:        clickhouse.Auth{Database: "default", Username: "reader", Password: "secret"},
		DialTimeout: 30 * time.Second,
		ReadTimeout: 60 * time.Second,
		ClientInfo:  clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{"grafana", "13"}}},
	})
	defer db.Close()
	if err := db.Ping(); err != nil {
		fmt.Fprintln(os.Stderr, "ping:", err)
		os.Exit(1)
	}
	answers := []answer{}
	for _, query := range os.Args[2:] {
		answers = append(answers, ask(db, query))
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}

func ask(db *sql.DB, query string) answer {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return answer{Error: err.Error()}
	}
	result := answer{Rows: [][]any{}}
	for _, one := range types {
		result.Columns = append(result.Columns, one.Name())
		result.Types = append(result.Types, one.DatabaseTypeName())
	}
	for rows.Next() {
		cells := make([]any, len(types))
		for index, one := range types {
			cells[index] = reflect.New(one.ScanType()).Interface()
		}
		if err := rows.Scan(cells...); err != nil {
			return answer{Error: err.Error()}
		}
		row := make([]any, len(cells))
		for index, cell := range cells {
			row[index] = reflect.ValueOf(cell).Elem().Interface()
		}
		result.Rows = append(result.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return answer{Error: err.Error()}
	}
	return result
}
