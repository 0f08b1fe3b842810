// Command footage records what the metrics of the real manager say while people join, enrol, lose their codes and leave, the
// service breaks down, a token is renewed and the leader changes. Its test holds the alert rules and the dashboard against
// a short recording; a long one is what docs/dashboard.svg is drawn from.
package main
