<?php
// Reads the WSDL of both services and calls every operation through it.
// Usage: php client.php URL
declare(strict_types=1);

function same(mixed $want, mixed $got): void
{
    if ($want !== $got) {
        throw new Exception('want ' . var_export($want, true) . ', got ' . var_export($got, true));
    }
}

function fault(string $code, callable $call): SoapFault
{
    try {
        $call();
    } catch (SoapFault $f) {
        if (!str_ends_with($f->faultcode, $code)) {
            throw new Exception("want $code, got {$f->faultcode}: {$f->faultstring}");
        }
        return $f;
    }
    throw new Exception("no fault $code");
}

$options = ['cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true, 'connection_timeout' => 30];
// Both versions of SOAP, and bodies that are compressed: gzip at level 5, both ways.
foreach ([[], ['soap_version' => SOAP_1_2], ['compression' => SOAP_COMPRESSION_ACCEPT | SOAP_COMPRESSION_GZIP | 5]] as $more) {
    $um = new SoapClient($argv[1] . '/EWS/UM2007Legacy.asmx?wsdl', $options + $more);
    same(11, count($um->__getFunctions()));
    same(true, $um->IsUMEnabled()->IsUMEnabledResponse);
    $um->SetOofStatus(['status' => false]);
    $um->SetMissedCallNotificationEnabled(['status' => true]);
    $um->SetPlayOnPhoneDialString(['dialString' => '2077']);
    $properties = $um->GetUMProperties()->GetUMPropertiesResponse;
    same(false, $properties->OofStatus);
    same(true, $properties->MissedCallNotificationEnabled);
    same('2077', $properties->PlayOnPhoneDialString);
    same('+15555550100', $properties->TelephoneAccessNumbers);
    $id = $um->PlayOnPhone(['entryId' => 'AAAAAEl0ZW1JZEV4YW1wbGU=', 'DialString' => '2077'])->PlayOnPhoneResponse;
    same($id, $um->PlayOnPhoneGreeting(['GreetingType' => 'OofCustom', 'DialString' => '2077'])->PlayOnPhoneGreetingResponse);
    $info = $um->GetCallInfo(['CallId' => $id])->GetCallInfoResponse;
    same('Disconnected', $info->CallState);
    same('UserBusy', $info->EventCause);
    $um->Disconnect(['CallId' => $id]);
    $um->SetOofStatus(['status' => true]);
    $um->SetPlayOnPhoneDialString(['dialString' => '2078']);
    $um->SetTelephoneAccessFolderEmail(['base64FolderID' => 'QUJD']);
    $um->ResetPIN();
    $properties = $um->GetUMProperties()->GetUMPropertiesResponse;
    same(true, $properties->OofStatus);
    same('2078', $properties->PlayOnPhoneDialString);
    same('QUJD', $properties->TelephoneAccessFolderEmail);
}

$um = new SoapClient($argv[1] . '/EWS/UM2007Legacy.asmx?wsdl', $options);
$f = fault('ErrorInvalidRequest', fn () => $um->PlayOnPhoneGreeting(['GreetingType' => 'None', 'DialString' => '2077']));
same('The request is invalid.', $f->faultstring);
same('ErrorInvalidRequest', $f->detail->ResponseCode);
$f = fault('InvalidCallIdException', fn () => $um->GetCallInfo(['CallId' => '']));
same("The call identifier isn't valid.", $f->faultstring);
same('InvalidCallIdException', $f->detail->ExceptionType);

$types = 'http://schemas.microsoft.com/exchange/services/2006/types';
$ews = new SoapClient($argv[1] . '/EWS/Exchange.asmx?wsdl', $options);
$ews->__setSoapHeaders(new SoapHeader($types, 'RequestServerVersion', new SoapVar("<v:RequestServerVersion xmlns:v=\"$types\" Version=\"Exchange2010\"/>", XSD_ANYXML)));
$played = $ews->PlayOnPhone(['ItemId' => ['Id' => 'AAMkAGI2TExample='], 'DialString' => '+15555550123']);
same('Success', $played->ResponseClass);
same('NoError', $played->ResponseCode);
$call = ['PhoneCallId' => ['Id' => $played->PhoneCallId->Id]];
$info = $ews->GetPhoneCallInformation($call)->PhoneCallInformation;
same('Disconnected', $info->PhoneCallState);
same('UserBusy', $info->ConnectionFailureCause);
same(486, $info->SIPResponseCode);
same('NoError', $ews->DisconnectPhoneCall($call)->ResponseCode);
$none = $ews->DisconnectPhoneCall(['PhoneCallId' => ['Id' => '']]);
same('Error', $none->ResponseClass);
same('ErrorInvalidPhoneCallId', $none->ResponseCode);
$answer = $ews->GetServiceConfiguration(['RequestedConfiguration' => ['ConfigurationName' => ['UnifiedMessagingConfiguration']]]);
$one = $answer->ResponseMessages->ServiceConfigurationResponseMessageType;
$one = is_array($one) ? $one[0] : $one;
same(true, $one->UnifiedMessagingConfiguration->UmEnabled);
same('2078', $one->UnifiedMessagingConfiguration->PlayOnPhoneDialString);

echo "all operations work\n";
