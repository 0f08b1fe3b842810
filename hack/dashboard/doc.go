// Command dashboard holds the Grafana dashboard and the alert rules of config/ against what the operator really says, which
// test/footage has recorded, and draws the dashboard's panels from it. It is a module of its own, for it is made of the
// heavy parts of Prometheus: the parser and engine of PromQL, and the database.
package main
