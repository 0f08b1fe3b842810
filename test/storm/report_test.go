package storm

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

// report is what a run took.
type report struct {
	name           string
	begun, settled time.Time
	kills, ended   int
	calls          map[string]int
	codes          int
	deadCodesUsed  int
	token          string // in use, when it is not the first
}

func total(calls map[string]int) (sum int) {
	for _, n := range calls {
		sum += n
	}
	return sum
}

// listings are counted by themselves: they go with time, not with the work.
func (r report) listings() int { return r.calls["ListAccounts"] }

func (r report) work() int { return total(r.calls) - r.listings() }

// listingsDue is how many pages a run of this length lists when nothing goes wrong: all pages once per interval and start.
func (r report) listingsDue() int {
	pages := (*users+strangers+shifts)/100 + 1
	return pages * (int(r.settled.Sub(r.begun)/interval) + r.kills + r.ended + 2)
}

// table sets two runs side by side.
func table(a, b report) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, of func(report) any) { fmt.Fprintf(w, "%s\t%v\t%v\t\n", name, of(a), of(b)) }
	row(fmt.Sprintf("%d users, seed %d", *users, *seed), func(r report) any { return r.name })
	row("seconds until all was well", func(r report) any { return int(r.settled.Sub(r.begun).Seconds()) })
	row("managers killed", func(r report) any { return r.kills })
	row("managers that ended by themselves", func(r report) any { return r.ended })
	for _, op := range mfasim.Operations() {
		if a.calls[op]+b.calls[op] > 0 {
			row(op, func(r report) any { return r.calls[op] })
		}
	}
	row("calls but listings", func(r report) any { return r.work() })
	row("listed pages that the time is worth", func(r report) any { return r.listingsDue() })
	row("codes issued", func(r report) any { return r.codes })
	row("dead codes that somebody found", func(r report) any { return r.deadCodesUsed })
	_ = w.Flush() // a strings.Builder takes everything
	return out.String()
}
