package call_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
)

func take(t *testing.T, q *call.Quota, user, number string, want error) {
	t.Helper()
	if err := q.Take(user, number); !errors.Is(err, want) {
		t.Errorf("Take(%s, %s) = %v, want %v", user, number, err, want)
	}
}

func TestQuotaOfAnHourSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &call.Quota{PerHour: 3}
		for range 3 {
			take(t, q, "anna", "5550100", nil)
			time.Sleep(10 * time.Minute)
		}
		take(t, q, "anna", "5550100", call.ErrQuota)
		take(t, q, "bert", "5550100", nil)
		err := q.Take("anna", "5550100")
		if want := "30m0s"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Take = %v, want it to say %s", err, want)
		}
		time.Sleep(30*time.Minute - time.Second)
		take(t, q, "anna", "5550100", call.ErrQuota)
		time.Sleep(time.Second)
		take(t, q, "anna", "5550100", nil)
		take(t, q, "anna", "5550100", call.ErrQuota)
	})
}

func TestQuotaOfADayCountsWhatTheHourHasForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &call.Quota{PerHour: 2, PerDay: 5}
		for range 5 {
			take(t, q, "anna", "5550100", nil)
			time.Sleep(time.Hour)
		}
		take(t, q, "anna", "5550100", call.ErrQuota)
		time.Sleep(19*time.Hour - time.Second)
		take(t, q, "anna", "5550100", call.ErrQuota)
		time.Sleep(time.Second)
		take(t, q, "anna", "5550100", nil)
		take(t, q, "anna", "5550100", call.ErrQuota)
	})
}

func TestQuotaOfDifferentNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &call.Quota{NumbersPerHour: 2}
		take(t, q, "anna", "5550100", nil)
		take(t, q, "anna", "5550101", nil)
		take(t, q, "anna", "5550102", call.ErrQuota)
		take(t, q, "anna", "5550101", nil)
		time.Sleep(time.Hour)
		take(t, q, "anna", "5550102", nil)
	})
}

func TestARefusedCallCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &call.Quota{PerHour: 1}
		take(t, q, "anna", "5550100", nil)
		for range 100 {
			time.Sleep(30 * time.Second)
			take(t, q, "anna", "5550100", call.ErrQuota)
		}
		time.Sleep(10 * time.Minute)
		take(t, q, "anna", "5550100", nil)
	})
}

func TestTheZeroQuotaIsNoLimit(t *testing.T) {
	q := &call.Quota{}
	for n := range 1000 {
		take(t, q, "anna", fmt.Sprint(n), nil)
	}
}
