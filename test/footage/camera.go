package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// camera writes down scrapes, one after the other, each after a line with its time and Pod. hack/dashboard reads them.
type camera struct {
	file *os.File
	out  *bufio.Writer
	seen map[string]bool // every line so far, without its value
	last map[string]bool // those of the newest shot
}

func newCamera(path string) (*camera, error) {
	file, err := os.Create(path) //nolint:gosec // a flag names it
	if err != nil {
		return nil, err
	}
	return &camera{file: file, out: bufio.NewWriter(file), seen: map[string]bool{}}, nil
}

func (c *camera) close() error { return errors.Join(c.out.Flush(), c.file.Close()) }

// shoot scrapes every replica that is there. One that starts or ends just now does not answer, as in a cluster.
func (c *camera) shoot(ctx context.Context, replicas []*replica) error {
	c.last = map[string]bool{}
	for _, r := range replicas {
		select {
		case <-r.Exited():
			// Its series end, which is what an empty scrape says.
			fmt.Fprintf(c.out, "# SCRAPE %d %s\n", time.Now().UnixMilli(), r.pod)
			continue
		default:
		}
		if err := c.scrape(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *camera) scrape(ctx context.Context, r *replica) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.metrics, nil)
	if err != nil {
		return err
	}
	at := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ctx.Err()
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the metrics of %s: %s", r.pod, resp.Status)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return ctx.Err()
	}
	fmt.Fprintf(c.out, "# SCRAPE %d %s\n%s", at.UnixMilli(), r.pod, text)
	for line := range strings.Lines(string(text)) {
		series, _, _ := strings.Cut(line, " ")
		c.seen[series], c.last[series] = true, true
	}
	return nil
}

// saw tells whether a series with the text in it was there at any time.
func (c *camera) saw(text string) bool { return among(c.seen, text) }

// sees tells whether the newest shot has a series with the text in it.
func (c *camera) sees(text string) bool { return among(c.last, text) }

func among(lines map[string]bool, text string) bool {
	for series := range lines {
		if strings.Contains(series, text) {
			return true
		}
	}
	return false
}
