package modem_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"hookswitch/hal/modem"
)

func TestProbeTellsWhatAPortIs(t *testing.T) {
	tests := []struct {
		name string
		gsm  bool
		says map[string]string
		want []string
	}{
		{"Conexant", false, map[string]string{
			"ATI": "56000\r\n\r\nOK", "ATI3": "CX93001-EIS_V0.2002-V92\r\n\r\nOK", "AT+FCLASS=?": "0,1,1.0,8\r\n\r\nOK",
			"AT+VSM=?": "1,\"UNSIGNED PCM\",8,0,8000,0,0\r\n129,\"IMA ADPCM\",4,0,8000,0,0\r\n\r\nOK",
		}, []string{`A voice modem; dialect "conexant"`, "56000; CX93001-EIS_V0.2002-V92", "0, 1, 1.0, 8", "1 UNSIGNED PCM at 8000 Hz; 129 IMA ADPCM at 8000 Hz", "8-bit unsigned", "It will do."}},
		{"USRobotics", false, map[string]string{
			"ATI": "5601\r\n\r\nOK", "AT+VSM=?": "128,\"8-BIT LINEAR\",8,0,(7200,8000),(0),(0)\r\n131,\"ULAW\",8,0,(7200,8000),(0),(0)\r\n\r\nOK",
		}, []string{`dialect "usr"`, "8-bit unsigned", "It will do."}},
		{"a data modem", false, map[string]string{"AT+FCLASS=?": "0,1,2\r\n\r\nOK", "AT+FCLASS=8": "ERROR"}, []string{"0, 1, 2", "It will not do: this modem has no voice mode"}},
		{"a voice modem at 9600 Hz", false, map[string]string{"AT+VSM=?": "1;CELP;1;0;(9600)\r\n\r\nOK"}, []string{"It will not do", "1 CELP at 9600 Hz"}},
		{"SIM7600", true, map[string]string{
			"AT+CGMI": "SIMCOM INCORPORATED\r\n\r\nOK", "AT+CGMM": "SIMCOM_SIM7600G-H\r\n\r\nOK",
			"AT+COPS?": "+COPS: 0,0,\"Example Mobile\",7\r\n\r\nOK", "AT+CSQ": "+CSQ: 21,99\r\n\r\nOK",
		}, []string{`A GSM or LTE modem; dialect "sim7600"`, "registered, operator Example Mobile, signal -71 dBm, good", "It will do."}},
		{"SIM800", true, map[string]string{"AT+CGMM": "SIMCOM_SIM800L\r\n\r\nOK"}, []string{`dialect "sim800"`, "It will not do: a SIM800 has no PCM on a serial port"}},
		{"A7670E", true, map[string]string{"AT+CGMM": "A7670E-FASE\r\n\r\nOK", "AT+CGMI": "SIMCOM INCORPORATED\r\n\r\nOK", "AT+CPCMREG": "ERROR"}, []string{`dialect "simcom"`, "Network: registered", "It will not do: no sound: "}},
		{"EC25 without a SIM, whose sound port GPS has", true, map[string]string{"AT+CGMM": "EC25\r\n\r\nOK", "AT+CPIN?": "+CME ERROR: 10", "AT+QPCMV=1,0": "ERROR"}, []string{`dialect "quectel"`, "not registered", "SIM missing", "; and no sound: "}},
		{"no SIM", true, map[string]string{"AT+CPIN?": "+CME ERROR: 10", "AT+CSQ": "+CSQ: 3,99\r\n\r\nOK"}, []string{`dialect "gsm"`, "not registered, signal -107 dBm, too weak", "It will not do: SIM missing: the modem finds no SIM"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.gsm, f.answer = tt.gsm, tt.says
				port, _ := f.open()
				r, err := modem.Probe(t.Context(), port)
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range tt.want {
					if !strings.Contains(r.String(), want) {
						t.Errorf("no %q in\n%s", want, r)
					}
				}
				if _, err := port.Write([]byte("x")); err == nil {
					t.Error("the port was left open")
				}
				f.checkOnHook(t)
			})
		})
	}
}

func TestProbeOfAPortWithNothingToAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.mute = true
		port, _ := f.open()
		if _, err := modem.Probe(t.Context(), port); !errors.Is(err, modem.ErrTimeout) || !strings.Contains(err.Error(), "check") {
			t.Errorf("got %v", err)
		}
	})
}
