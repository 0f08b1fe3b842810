package mfasim_test

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/trustbuilder-mfa/operator/internal/mfasim"
)

func TestListDevices(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice"})
	w.Expect(w.must(200, "GET", path+"/devices", "")).To(Equal(object{"content": []any{}, "hasMore": false}))

	d, err := w.AddDevice("alice")
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusActivated), "the first device activates")
	w.Expect(w.must(200, "GET", path+"/devices", "")).To(Equal(object{"hasMore": false, "content": []any{object{
		"id": json.Number(d.ID.String()), "family": "ma", "name": d.Name, "alias": "alice", "state": json.Number("0"),
	}}}))
	w.refused(404, "ACCOUNT_NOT_FOUND", "GET", "/accounts/1/devices", "")
}

func TestDevicesComeInPagesToo(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice"})
	for range 51 {
		_, err := w.AddDevice("alice")
		w.Expect(err).NotTo(HaveOccurred())
	}
	first := w.must(200, "GET", path+"/devices", "")
	w.Expect(first["content"]).To(HaveLen(50))
	w.Expect(first["hasMore"]).To(BeTrue())
	w.Expect(w.must(200, "GET", path+"/devices?page=1", "")["content"]).To(HaveLen(1))
}

func TestDeleteDevice(t *testing.T) {
	w := newTenant(t, mfasim.Options{})
	path := w.seed(mfasim.Account{Login: "alice", Status: mfasim.StatusActivated})
	device := path + "/devices/" + w.Devices("alice")[0].ID.String()
	w.Expect(w.must(204, "DELETE", device, "")).To(BeNil())
	w.Expect(w.Devices("alice")).To(BeEmpty())
	w.Expect(w.status("alice")).To(Equal(mfasim.StatusActivated))
	w.refused(404, "DEVICE_NOT_FOUND", "DELETE", device, "")
	w.refused(404, "DEVICE_NOT_FOUND", "DELETE", path+"/devices/x", "")
	w.refused(404, "ACCOUNT_NOT_FOUND", "DELETE", "/accounts/1/devices/1", "")
}
