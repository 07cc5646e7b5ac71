package config_test

import (
	"fmt"
	"strings"
	"testing"

	"hookswitch/firmware/config"
)

func initMistakes(t *testing.T, cmd string) []string {
	t.Helper()
	return mistakes(t, line+fmt.Sprintf("init = [%q]", cmd))
}

func TestInitAdmitsNothingThatDialsAnswersOrForwards(t *testing.T) {
	for _, cmd := range []string{
		"ATD911", "atd911", "AT D 911", "ATDT911", "ATE0D911", "ATX3D1", "ATX3 D1", "ATX3;D911", "AT+VGT=128;D911", "AT+VGT=128;+FCLASS=8",
		"ATDL", "ATD>1", "ATA", "AT A", "ATO", "ATE0A", "ATH1", "ATH0", "ATS0=1", "ATS0=01", "ATS00=1", "AT S0 = 1", "ATX3S0=2", "ATS=1", "ATS?",
		"AT+VLS=1", "at+vls=1", "AT+VTX", "AT+VRX", "AT+VTR", "AT+VTS=1", "AT+VNH=1", "AT#VLS=1", "AT*D123", "AT%D", "AT\\D",
		"AT+CHLD=2", "AT+CHLD=1x", "AT+CCFC=0,3,\"+881600000\"", "AT+CCFCU=0,3", "AT+CLCK=\"AO\",1,\"0000\"", "AT+CPWD=\"AO\",\"0\",\"1\"",
		"AT+CUSD=1,\"*21*900#\",15", "ATD*21*900#;", "AT+CPIN=1234", "AT+CPIN=\"1\",\"2\"", "at+cpin=1", "AT+CFUN=0", "AT+CFUN=1,1",
		"AT+CPOF", "AT+QPOWD=1", "AT+CRESET", "AT+CHUP", "AT+QHUP=16,1", "ATZ", "AT&F", "AT&F0", "AT&W", "ATX3&F", "ATV0", "ATE1", "ATQ1",
		"AT^DIAL=1", "AT+CDV=123", "AT+CDU=\"sip:a\"", "AT+CMGS=\"1\"", "AT+CMGF=1", "AT+CPBS=\"SM\"", "AT+QAUTOANSWER=1", "AT+CAAS=1",
		"AT+STKTR=1", "AT+CSIM=1,\"A\"", "AT+CRSM=1", "AT+QCFG=\"autoanswer\",1", "AT+CAUTOANSWER=1", "AT*AA=1", "AT^AUTOANSWER=1",
		"AT+VGT=128D911", "AT+GCI=0D9", "AT+GCI=B5;D1", "AT+VGT=\"1;D2\"", "AT+VGT=\"1\\\"D2\"", "AT+FCLASS=8D1", "A/", "AT", "AT+", "AT=",
		"ATX3\rATD1", "ATX3\u00a0", "ATX3D\u0661",
	} {
		told := initMistakes(t, cmd)
		if len(told) != 1 || !strings.HasPrefix(told[0], "f:4: [[line]] init: ") {
			t.Errorf("%q: told %q, want one mistake with its line", cmd, told)
		}
		if strings.Contains(cmd, "CPIN=1234") && strings.Contains(told[0], "1234") {
			t.Errorf("the PIN is told: %q", told[0])
		}
	}
}

func TestInitAdmitsSoundPortAndNetwork(t *testing.T) {
	for _, cmd := range []string{
		"AT+VGT=128", "at+vgt=128", "AT +VGT = 128", "AT+VSM=128,8000", "AT+FCLASS=8", "AT+FCLASS=8.0", "AT+VSD=129,50", "AT+VCID=1", "AT+VIT=0",
		"ATX3", "ATX3M0L1", "ATM0 L0", "AT&K3", "AT&D2&C1", "ATS7=60", "ATS11=80", "ATS91=10", "AT\\N3", "AT+GCI=B5", "AT+GCI=3D", "AT+GCI=00",
		"AT+IFC=2,2", "AT+FLO=2", "AT-STE=3", "AT+CLVL=5", "AT+CMIC=0,10", "AT+CSDVC=3", "AT+COPS=1,2,\"26201\"", "AT+CNMP=38",
		"AT+CGDCONT=1,\"IPV4V6\",\"ims\"", "AT+CCWA=1,0,1", "AT+QCFG=\"ims\",1", "AT+VGT=",
	} {
		if _, err := config.Parse("f", []byte(line+fmt.Sprintf("init = [%q]", cmd))); err != nil {
			t.Errorf("%q: %v", cmd, err)
		}
	}
}
