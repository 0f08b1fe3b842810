package alerts

import "fmt"

// in names a metric of the connection production, as told by a Pod, with more labels.
func in(pod, metric, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`trustbuilder_mfa_%s{connection_namespace="mfa",connection="production",pod="%s"%s}`, metric, pod, more)
}

// production is what an alert about it says.
func production(summary string, more ...string) []firing {
	labels := map[string]string{"connection_namespace": "mfa", "connection": "production"}
	for n := 0; n < len(more); n += 2 {
		labels[more[n]] = more[n+1]
	}
	return []firing{{labels, summary}}
}

// passes are those of a controller: so many a minute, and of them so many that end with an error.
func passes(controller, all, errors string) map[string]string {
	return map[string]string{
		`controller_runtime_reconcile_total{pod="a",result="success",controller="` + controller + `"}`: "0+" + all + "x90",
		`controller_runtime_reconcile_errors_total{pod="a",controller="` + controller + `"}`:           "0+" + errors + "x90",
	}
}

// calls by outcome: so many a minute.
func calls(perMinute map[string]string) map[string]string {
	series := map[string]string{}
	for outcome, n := range perMinute {
		series[in("a", "api_calls_total", `operation="CreateAccount",outcome="`+outcome+`"`)] = "0+" + n + "x90"
	}
	return series
}

func one(series, values string) map[string]string { return map[string]string{series: values} }

// token is one with an expiry; a test begins at the time 0.
func token(values string) map[string]string {
	return one(in("a", "token_expiry_timestamp_seconds", ""), values)
}

// listing is a picture of some age, in seconds, with an interval of ten minutes.
func listing(age string) map[string]string {
	return map[string]string{in("a", "listing_age_seconds", ""): age, in("a", "resync_interval_seconds", ""): "600x90"}
}

// alerts are the moments of each alert.
var alerts = map[string]map[string]moment{
	"MFAOperatorAbsent": {
		"nobody for nine minutes":       {nil, "9m", nil},
		"nobody for ten minutes":        {nil, "10m", []firing{{nil, "No TrustBuilder MFA operator is at work."}}},
		"one at work":                   {one(`trustbuilder_mfa_build_info{pod="a",version="v1"}`, "1x90"), "1h", nil},
		"one that stands by":            {one(`leader_election_master_status{pod="b"}`, "0x90"), "10m", []firing{{nil, "No TrustBuilder MFA operator is at work."}}},
		"it went ten minutes ago":       {one(`trustbuilder_mfa_build_info{pod="a",version="v1"}`, "1x9 stale"), "20m", []firing{{nil, "No TrustBuilder MFA operator is at work."}}},
		"another one went on in time":   {map[string]string{`trustbuilder_mfa_build_info{pod="a"}`: "1x9 stale", `trustbuilder_mfa_build_info{pod="b"}`: "_x17 1x90"}, "20m", nil},
		"two versions, one after other": {map[string]string{`trustbuilder_mfa_build_info{version="v1"}`: "1x20 stale", `trustbuilder_mfa_build_info{version="v2"}`: "_x21 1x90"}, "40m", nil},
	},
	"MFAReconcileErrors": {
		"one in ten":             {passes("mfauser", "60", "6"), "1h", nil},
		"more than one in ten":   {passes("mfauser", "60", "12"), "1h", []firing{{map[string]string{"controller": "mfauser"}, "20% of the passes of the controller mfauser end with an error."}}},
		"not for long yet":       {passes("mfauser", "60", "12"), "15m", nil},
		"for a quarter of hour":  {passes("mfaconnection", "60", "60"), "16m", []firing{{map[string]string{"controller": "mfaconnection"}, "100% of the passes of the controller mfaconnection end with an error."}}},
		"of another operator":    {passes("certificate", "60", "60"), "1h", nil},
		"nothing to do, no pass": {passes("mfauser", "0", "0"), "1h", nil},
	},
	"MFAConnectionNotReady": {
		"ready":                   {one(in("a", "connection_ready", ""), "1x90"), "1h", nil},
		"not ready for 14m":       {one(in("a", "connection_ready", ""), "0x90"), "14m", nil},
		"not ready for 15m":       {one(in("a", "connection_ready", ""), "0x90"), "15m", production("The MFAConnection mfa/production is not ready.")},
		"ready again":             {one(in("a", "connection_ready", ""), "0x20 1x90"), "21m", nil},
		"gone":                    {one(in("a", "connection_ready", ""), "0x20 stale"), "30m", nil},
		"a new leader looks":      {map[string]string{in("a", "connection_ready", ""): "1x20 stale", in("b", "connection_ready", ""): "_x20 0x2 1x90"}, "36m", nil},
		"an old leader lingers":   {map[string]string{in("a", "connection_ready", ""): "0x90", in("b", "connection_ready", ""): "1x90"}, "1h", nil},
		"two leaders in a row":    {map[string]string{in("a", "connection_ready", ""): "0x10 stale", in("b", "connection_ready", ""): "_x10 0x90"}, "15m", production("The MFAConnection mfa/production is not ready.")},
		"one of two of that name": {map[string]string{in("a", "connection_ready", ""): "0x90", `trustbuilder_mfa_connection_ready{connection_namespace="lab",connection="production"}`: "1x90"}, "1h", production("The MFAConnection mfa/production is not ready.")},
	},
	"MFAListingTooOld": {
		"three intervals":        {listing("1800x90"), "1h", nil},
		"more than three":        {listing("1801x90"), "5m", production("The accounts of the MFAConnection mfa/production were last listed 30m 1s ago.")},
		"not for five minutes":   {listing("1801x90"), "4m", nil},
		"listed again":           {listing("1801x20 10x90"), "21m", nil},
		"an interval of an hour": {map[string]string{in("a", "listing_age_seconds", ""): "7200x90", in("a", "resync_interval_seconds", ""): "3600x90"}, "1h", nil},
		"never listed":           {one(in("a", "resync_interval_seconds", ""), "600x90"), "1h", nil},
		"interval is not known":  {one(in("a", "listing_age_seconds", ""), "99999x90"), "1h", nil},
		"an old leader lingers on": {map[string]string{
			in("a", "listing_age_seconds", ""): "99999x90", in("b", "listing_age_seconds", ""): "10x90", in("b", "resync_interval_seconds", ""): "600x90",
		}, "1h", nil},
	},
	"MFATokenExpiresIn30Days": {
		"in 30 days and a second":   {token("2592001x90"), "5m", nil},
		"in 30 days":                {token("2592000x90"), "5m", production("The API token of the MFAConnection mfa/production runs out in 29d 23h 55m 0s.")},
		"not for five minutes":      {token("2592000x90"), "4m", nil},
		"in a bit more than 7 days": {token("605101x90"), "5m", production("The API token of the MFAConnection mfa/production runs out in 7d 0h 0m 1s.")},
		"in 7 days: another alert":  {token("605100x90"), "5m", nil},
		"replaced":                  {token("2592000x20 31536000x90"), "21m", nil},
		"replaced, the old lingers": {map[string]string{in("a", "token_expiry_timestamp_seconds", ""): "2592000x90", in("b", "token_expiry_timestamp_seconds", ""): "31536000x90"}, "1h", nil},
	},
	"MFATokenExpiresIn7Days": {
		"in 7 days and a second":   {token("604801x90"), "5m", nil},
		"in 7 days":                {token("604800x90"), "5m", production("The API token of the MFAConnection mfa/production runs out in 6d 23h 55m 0s.")},
		"in a bit more than a day": {token("86701x90"), "5m", production("The API token of the MFAConnection mfa/production runs out in 1d 0h 0m 1s.")},
		"in a day: another alert":  {token("86700x90"), "5m", nil},
	},
	"MFATokenExpiresIn1Day": {
		"in a day and a second": {token("86401x90"), "5m", nil},
		"in a day":              {token("86400x90"), "5m", production("The API token of the MFAConnection mfa/production runs out within a day, or has run out.")},
		"not for five minutes":  {token("86400x90"), "4m", nil},
		"it has run out":        {token("600x90"), "1h", production("The API token of the MFAConnection mfa/production runs out within a day, or has run out.")},
	},
	"MFAServiceErrors": {
		"one in ten":           {calls(map[string]string{"ok": "9", "Unavailable": "1"}), "1h", nil},
		"more than one in ten": {calls(map[string]string{"ok": "8", "Unavailable": "2"}), "1h", production("20% of the calls through the MFAConnection mfa/production fail.")},
		"all kinds count":      {calls(map[string]string{"ok": "5", "RateLimited": "1", "Malformed": "1", "Denied": "1", "Invalid": "1", "Unauthenticated": "1"}), "1h", production("50% of the calls through the MFAConnection mfa/production fail.")},
		"not for long yet":     {calls(map[string]string{"ok": "8", "Unavailable": "2"}), "11m", nil},
		"what it counts on":    {calls(map[string]string{"ok": "2", "NotFound": "4", "Conflict": "4"}), "1h", nil},
		"19.5 calls in 15 min": {calls(map[string]string{"Unavailable": "1.3"}), "1h", nil},
		"21 calls in 15 min":   {calls(map[string]string{"Unavailable": "1.4"}), "1h", production("100% of the calls through the MFAConnection mfa/production fail.")},
		"one of two connections": {map[string]string{
			in("a", "api_calls_total", `outcome="ok"`):                                                             "0+100x90",
			`trustbuilder_mfa_api_calls_total{connection_namespace="lab",connection="test",outcome="Unavailable"}`: "0+10x90",
		}, "1h", []firing{{map[string]string{"connection_namespace": "lab", "connection": "test"}, "100% of the calls through the MFAConnection lab/test fail."}}},
	},
	"MFARemovalsHeld": {
		"none":             {one(in("a", "removals_held", ""), "0x90"), "1h", nil},
		"for four minutes": {one(in("a", "removals_held", ""), "3x90"), "4m", nil},
		"for five minutes": {one(in("a", "removals_held", ""), "3x90"), "5m", production("Removals that the changeGuard of the MFAConnection mfa/production holds: 3.")},
		"let go":           {one(in("a", "removals_held", ""), "3x20 0x90"), "21m", nil},
		"counted once":     {map[string]string{in("a", "removals_held", ""): "3x90", in("b", "removals_held", ""): "3x90"}, "5m", production("Removals that the changeGuard of the MFAConnection mfa/production holds: 3.")},
	},
	"MFAUsersNotReady": {
		"for 59 minutes":    {one(in("a", "users_not_ready", `reason="NotAllowed"`), "2x90"), "59m", nil},
		"for an hour":       {one(in("a", "users_not_ready", `reason="NotAllowed"`), "2x90"), "1h", production("MFAUsers that are not ready because of NotAllowed: 2, of the MFAConnection mfa/production.", "reason", "NotAllowed")},
		"mended":            {one(in("a", "users_not_ready", `reason="NotAllowed"`), "2x65 stale"), "66m", nil},
		"the connection's":  {one(in("a", "users_not_ready", `reason="ConnectionNotReady"`), "2x90"), "90m", nil},
		"the guard's":       {one(in("a", "users_not_ready", `reason="RemovalHeld"`), "2x90"), "90m", nil},
		"wished so":         {one(in("a", "users_not_ready", `reason="Suspended"`), "2x90"), "90m", nil},
		"of no connection":  {one(`trustbuilder_mfa_users_not_ready{connection_namespace="",connection="",reason="ConnectionNotFound"}`, "1x90"), "1h", []firing{{map[string]string{"reason": "ConnectionNotFound"}, "MFAUsers that are not ready because of ConnectionNotFound: 1."}}},
		"over a new leader": {map[string]string{in("a", "users_not_ready", `reason="Denied"`): "2x30 stale", in("b", "users_not_ready", `reason="Denied"`): "_x30 2x90"}, "1h", production("MFAUsers that are not ready because of Denied: 2, of the MFAConnection mfa/production.", "reason", "Denied")},
	},
	"MFACodesExpiring": {
		"for 59 minutes":    {one(in("a", "codes_expiring", `purpose="Enrollment",type="Link"`), "2x90"), "59m", nil},
		"for an hour":       {one(in("a", "codes_expiring", `purpose="Enrollment",type="Link"`), "2x90"), "1h", production("Codes of the MFAConnection mfa/production that run out unused within a day: 2.")},
		"of all purposes":   {map[string]string{in("a", "codes_expiring", `purpose="Enrollment",type="Link"`): "2x90", in("a", "codes_expiring", `purpose="AddDevice",type="Inactive"`): "1x90"}, "1h", production("Codes of the MFAConnection mfa/production that run out unused within a day: 3.")},
		"short ones always": {one(in("a", "codes_expiring", `purpose="AddDevice",type="Short"`), "2x90"), "90m", nil},
		"used after all":    {one(in("a", "codes_expiring", `purpose="Enrollment",type="Link"`), "2x65 stale"), "66m", nil},
	},
	"MFACodesExpiredUnused": {
		"for 59 minutes":     {one(in("a", "users_enrollment", `stage="CodeGone"`), "2x90"), "59m", nil},
		"for an hour":        {one(in("a", "users_enrollment", `stage="CodeGone"`), "2x90"), "1h", production("People of the MFAConnection mfa/production who have no device and whose enrolment code is gone: 2.")},
		"enrolled, blocked":  {map[string]string{in("a", "users_enrollment", `stage="Enrolled"`): "9x90", in("a", "users_enrollment", `stage="Blocked"`): "9x90"}, "90m", nil},
		"a code that lives":  {one(in("a", "users_enrollment", `stage="CodeOut"`), "9x90"), "90m", nil},
		"another was issued": {one(in("a", "users_enrollment", `stage="CodeGone"`), "2x65 stale"), "66m", nil},
	},
}
