package call

// LogFile is the file of the call log, for tests that have a card of their own.
type LogFile = logFile

// SetCard has the call log's file created by create.
func (o *Options) SetCard(create func(path string) (LogFile, error)) { o.createLog = create }

// Times of the call log.
const (
	LogLimit = logLimit
	LogRetry = logRetry
)
