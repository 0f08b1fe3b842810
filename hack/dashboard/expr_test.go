package main

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestNeeds(t *testing.T) {
	cases := map[string]struct {
		expr string
		want []need
	}{
		"a metric":             {`up`, []need{{"up", "", ""}}},
		"a value":              {`up{job="a"}`, []need{{"up", "", ""}, {"up", "job", ""}, {"up", "job", "a"}}},
		"values":               {`up{job!~"a|b"}`, []need{{"up", "", ""}, {"up", "job", ""}, {"up", "job", "a"}, {"up", "job", "b"}}},
		"any value":            {`up{job=~".*"}`, []need{{"up", "", ""}, {"up", "job", ""}}},
		"what is kept":         {`sum by (pod) (rate(up[5m]))`, []need{{"up", "pod", ""}, {"up", "", ""}}},
		"of both sides":        {`sum by (pod) (a / b)`, []need{{"a", "pod", ""}, {"b", "pod", ""}, {"a", "", ""}, {"b", "", ""}}},
		"inside of a function": {`absent(up)`, []need{{"up", "", ""}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(needs(tc.expr)).To(Equal(tc.want))
		})
	}
	_, err := needs(`sum by (pod (up)`)
	NewWithT(t).Expect(err).To(HaveOccurred())
}
