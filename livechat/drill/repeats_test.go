package drill_test

import (
	"fmt"
	"os"
	"strconv"
)

// repeats is how often a drill strikes where more is better: LIVENS_DRILL_REPEATS, default 1. make test-long sets it.
var repeats = wholeNumber("LIVENS_DRILL_REPEATS", 1)

func wholeNumber(variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		panic(fmt.Sprintf("%s=%s is no number above 0", variable, text))
	}
	return n
}
