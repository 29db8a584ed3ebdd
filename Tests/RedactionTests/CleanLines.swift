/// Lines with nothing to hide, many of them with words that also name secrets. `{h40}` is a recipe's part, `{U}` a UUID.
let cleanLines = #"""
  Accepted publickey for kim from 10.1.2.3 port 51234 ssh2: RSA SHA256:{b43}
  request_id={U} status=500
  trace={h32} span={h16} took 31ms
  commit {h40} by bot
  pod web-7d9f8b6c5-x2k4q evicted
  image nginx@sha256:{h64} pulled
  token expired, refreshing in 5s
  invalid token: expired
  Error: token is malformed
  unexpected token '}' in JSON at position 123
  SyntaxError: Unexpected token < in JSON at position 0
  max_tokens=4096 prompt_tokens=153 completion_tokens=88
  token_type=bearer expires_in=3600
  secret "prod/web-tls" not found
  secretName: web-tls
  mounting secret default-token-x7k2p for pod web-0
  secret=kube-system/coredns-token-abc12 type=kubernetes.io/service-account-token
  password changed for user kim
  Failed password for invalid user admin from 10.0.0.1 port 22 ssh2
  Failed password for root from 10.0.0.1 port 22 ssh2
  password: required field missing
  password reset requested for user 1234
  password=null user=null
  password=**** user=kim
  password=<redacted> user=kim
  password=${DB_PASSWORD} host=db
  "password":null,"token":null
  cache key user:123:profile missed
  cache key={h32} missed
  key=orders:2026-01-01:eu size=12
  primary key violation on table orders key (id)=(1234567890123)
  duplicate key value violates unique constraint "orders_pkey"
  Key (email)=(null) already exists
  routing_key=orders.created delivered
  partition_key=2026-01-01 shard=3
  idempotency_key={U} replayed
  public_key=MIIBIjANBg size=2048
  session opened for user root by (uid=0)
  session 1234 closed
  Removed session 42.
  auth=none method=GET
  authentication failed for user kim
  Authorization header missing
  authorization: required for GET /x
  basic authentication required
  Bearer token missing
  Bearer token expired
  cookie banner dismissed
  Cookies: 12 set
  GET /api/v1/keys/123456 200
  GET /users/1234567890123456 404 12ms
  order id=7234567812345678 shipped
  epoch=1767225600000 lag=12
  ts=1767225600123456789 seq=42
  offset 1234567890123456 lag 9
  phone service unavailable
  10.0.78.119:50010 -> 10.0.0.1:80
  version 1.2.3.4 build 20260101123456
  java.lang.NullPointerException at com.foo.Bar.baz(Bar.java:42)
  com.foo.Bar@1b2c3d4e dropped
  user@1000.service: Succeeded.
  getty@tty1.service started
  npm install react@18.2.0 lodash@4.17.21
  git@github.com:acme/shop.git fetch failed
  root@node-1.local disconnected
  kex: curve25519-sha256@libssh.org chacha20-poly1305@openssh.com
  GET https://api.example.com:8443/v1/a?page=2&size=10 200
  connect to redis://cache:6379/0 ok
  https://example.com/a/b/c?x=1#frag
  postgres://db-0:5432/orders?sslmode=disable ok
  arn:aws:iam::123456789012:role/web assumed
  i-0abcd1234ef567890 terminated
  job 2026-01-02_03-04-05 done in 00:12:34.567
  temp=-12.5 load=0.12,0.34,0.56 mem=123456789012
  state=READY code=05 reason=AC04
  status code: 503 error code 1205
  exit code 137 signal 9
  pass=12 fail=0 skip=3
  pass: 3, fail: 1
  test_pass=17
  [main] INFO o.a.k.c.ConsumerCoordinator - [Consumer clientId=c-1, groupId=g] offset 1234
  cluster id = {a22}
  etag="{h32}" cached
  uid={a28} signed in
  chatcmpl-{a29} finished
  evt_1N{a22} processed
  pi_3Oq{a21} requires_action
  req_011CS{a19} done
  x-amz-request-id: {U16} x-amz-id-2: {b76}=
  sha256-{b43}= integrity mismatch
  md5 {h32} ok
  mac=aa:bb:cc:dd:ee:ff ip=10.0.0.9
  2026-01-02T03:04:05.678Z INFO started
  temperature +12345 rpm +0100
  diff +123 -456
  Call sms gateway returned 503
  tel service ok
  SQL: SELECT * FROM users WHERE password IS NULL
  hash={h64} verified
  signature verification failed
  signature: invalid
  ssh-rsa AAAAB3NzaC1yc2E{b100} kim
  licence valid until 2027-01-01
  name=orders-worker replicas=3
  user=kim role=admin
  username=kim action=login
  hostname=web-1 app_name=shop
  street=closed
  card=visa result=declined
  pin=12 gpio=4
  otp sent to user 12
  otp: disabled
  code=200 duration=12ms
  verification code sent
  resource key "app.title" not found
  apikey: missing
  api_key=invalid
  missing api key
  using key file /etc/ssl/private/server.key
  ssl_key=/etc/ssl/key.pem loaded
  token_file=/var/run/secrets/kubernetes.io/serviceaccount/token
  password_file=/run/secrets/db_password
  Unable to read token from /var/run/secrets/token
  auth=/etc/auth.json
  key_id={U} rotated
  secret version 12 enabled
  CSRF token missing or incorrect
  csrf=disabled
  Setting session timeout to 1800
  sessions=12 active
  sid=1234 inode=99
  LoginModule auth sufficient pam_unix.so
  salt-minion 3006.1 started
  salt: 12g
  serial={h20} issuer=CN
  cookie=none
  mail queue empty
  e-mail disabled for tenant 4
  node 100-200-3000 restarted
  range 123-456-789 scanned
  bus 123-45-67 ok
  pci 0000:00:1f.2 reset
  Kernel: usb 1-1.2: new device
  CPU 4 temperature 4111 threshold
  call_id={U} duration=3
  kafka topic id {a22} created
  build 4.19.0-25-amd64 #1 SMP Debian
  lambda RequestId: {U} Duration: 12.34 ms
  Z9fq at 0x7ffd12345678 in foo+0x12
  blk_-1608999687919862906 terminating
  MapTask-attempt_1445144423722_0020_m_000000_0 done
  container_1445144423722_0020_01_000012 released
  0/5 nodes are available: 5 Insufficient memory
  certificate CN=web.example.com serial 04:8a:ff
  session_id=null
  "secret":{"name":"db"},"key":"app"
  "password":{"type":"string","minLength":8}
  "keys":["id","name"]
  {"id":12345678901234,"ok":true}
  const token = parser.next();
  if (password == null) return false;
  function authenticate(token, cb)
  throw new Error('password too short')
  pw: unknown user
  Please enter password:
  PASS
  --- PASS: TestFoo (0.01s)
  PASS: 12 tests
  tests pass now
  auth: checking token for tenant 5
  consumer lag=1234 key=null value=null
  kid=2026-01 alg=RS256
  salt stack ok
  jwt malformed
  jwt: signature is invalid
  grant_type=password scope=openid
  response_type=code client_id=web-portal
  type=password enabled=true
  auth_method=password result=ok
  strategy=token ok
  pattern [key]=[value] parsed
  hashKey=region rangeKey=ts
  keyspace orders_by_day
  monkey=george turkey=hot
  donkey: kong
  author=kim
  authority=web:443
  tokenizer=standard
  passenger=12 compass=north bypass=true
  secretary=ann
  card reader offline
  dashboard=main
  arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf
  fullname=acme/web
  message_id=<1234567890.1700000000@mx.example.com>
  Session 0x16b5c3f8e2a0003 for server zk-1/10.0.0.3:2181
  X-Amzn-Trace-Id: Root=1-{h8}-{h24}
  cluster_uuid [{u22}]
  Authorization denied for user kim on resource /admin
  s3 key=backups/2026/01/02/db.dump size=123
  class=AbstractUserDetailsAuthenticationProvider2Factory method=additionalAuthenticationChecksV2
  PWD=/home/kim OLDPWD=/root
  primary key: 12345678abcd missing
  status code: 123456
  Generated report for password policy: strict2024
  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b43} kim
  price $12.50 total $99
  name=retries value=Abc12345
  """#
