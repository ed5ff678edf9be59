// Says what kstatus makes of objects, as Flux, Helm and `kubectl apply` with cli-utils see them: a list of objects on standard input, and for
// each its status and a message on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type result struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var objects []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		return err
	}
	results := []result{}
	for _, text := range objects {
		object := &unstructured.Unstructured{}
		// Whole numbers are int64 then, as of the API server.
		if err := object.UnmarshalJSON(text); err != nil {
			return err
		}
		computed, err := status.Compute(object)
		if err != nil {
			return err
		}
		results = append(results, result{Status: string(computed.Status), Message: computed.Message})
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}
