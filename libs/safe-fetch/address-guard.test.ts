import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressGuard } from "./address-guard.ts";

const publicAddresses = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"];
const privateAddresses = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.168.1.1",
  "198.18.0.1",
  "203.0.113.7",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:a9fe:a9fe",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
];

test("public addresses are allowed, and no others", () => {
  const guard = new AddressGuard([]);
  for (const address of publicAddresses) assert.equal(guard.allows("a.test", address), true, address);
  for (const address of privateAddresses) assert.equal(guard.allows("a.test", address), false, address);
  assert.equal(guard.allows("a.test", "no address"), false);
});

test("an address or a network that is named is allowed, in whatever form, and no neighbour of it", () => {
  const guard = new AddressGuard(["127.0.0.1", "10.1.0.0/16", "fd00:1::/32"]);
  for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "10.1.255.1", "fd00:1::5"])
    assert.equal(guard.allows("a.test", address), true, address);
  for (const address of ["127.0.0.2", "10.2.0.1", "fd00:2::5", "::1", "169.254.169.254"])
    assert.equal(guard.allows("a.test", address), false, address);
});

test("a host that is named may be in a private network, but not among the link-local addresses", () => {
  const guard = new AddressGuard(["Wiki.Internal", "localhost"]);
  assert.equal(guard.allows("wiki.internal", "10.0.0.5"), true);
  assert.equal(guard.allows("wiki.internal.", "fd00::5"), true);
  assert.equal(guard.allows("localhost", "::1"), true);
  assert.equal(guard.allows("other.internal", "10.0.0.5"), false);
  assert.equal(guard.allows("wiki.internal", "169.254.169.254"), false);
  assert.equal(guard.allows("wiki.internal", "0.0.0.0"), false);
});

test("what is no address, network or host is told", () => {
  for (const entry of ["", "10.0.0.0/33", "http://a.test", "a b"])
    assert.throws(() => new AddressGuard([entry]), { reason: "HW_ADDRESS_INVALID" }, entry);
});
