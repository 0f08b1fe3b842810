package main

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
)

// TestLateAnswer: an answer with a code that comes after a gateway has answered in its place is in no log.
func TestLateAnswer(t *testing.T) {
	g := NewWithT(t)
	var said bytes.Buffer
	before := log.Writer()
	defer log.SetOutput(before)
	log.SetOutput(&said)
	answerLate(g)
	g.Expect(said.String()).To(ContainSubstring("a-code"), "net/http quotes it, or this test is for nothing")

	setLoggers(options{})
	g.Expect(log.Writer()).To(BeIdenticalTo(io.Discard))
}

// answerLate makes a call that a gateway answers, and lets the service's own answer follow on the same connection. It returns
// when the client has closed that, and so has said what it says.
func answerLate(g *WithT) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = listener.Close() }()
	called, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(closed)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
		<-called
		_, _ = io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 17\r\n\r\n"+`{"code":"a-code"}`)
		_, _ = io.Copy(io.Discard, conn)
	}()
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get("http://" + listener.Addr().String()) //nolint:noctx // to this process
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(resp.Body.Close()).To(Succeed())
	close(called)
	<-closed
}
