// Command hello is what the boot time of the appliance is measured against: the same
// image with a program in the daemon's place that only says hello over HTTP.
package main

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

func main() {
	log.SetFlags(0)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	go heartbeat()
	log.Fatal(http.ListenAndServe(":8080", nil))
}

// heartbeat keeps init content; it ends with the program.
func heartbeat() {
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	for range time.Tick(time.Second) {
		_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
	}
}
