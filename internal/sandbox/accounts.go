package sandbox

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// identityLimit is long: many tests share a machine.
const identityLimit = time.Minute

// accounts tells Glue which account an access key belongs to. moto knows: the keys it gives for an assumed role
// belong to the role's account.
type accounts struct {
	own    string // the access key of the sandbox's owner
	config aws.Config

	mu    sync.Mutex
	known map[string]string
}

func newAccounts(sb *Sandbox) *accounts {
	own, _ := sb.Credentials()
	return &accounts{own: own, config: sb.AWSConfig(), known: map[string]string{own: Account}}
}

// of asks moto once for each key. moto does not verify signatures, so the key alone identifies the caller. A key
// that moto does not know belongs to the default account there, and so it does here. Where moto does not answer the
// account is not guessed: it is "", and the call is refused.
func (a *accounts) of(accessKey string) string {
	a.mu.Lock()
	account, ok := a.known[accessKey]
	a.mu.Unlock()
	if ok {
		return account
	}
	ctx, cancel := context.WithTimeout(context.Background(), identityLimit)
	defer cancel()
	client := sts.NewFromConfig(a.config, func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(accessKey, "unverified", "")
	})
	identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[accessKey] = aws.ToString(identity.Account)
	return a.known[accessKey]
}
