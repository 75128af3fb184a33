import assert from "node:assert/strict";
import { test } from "node:test";
import { holdsSecret } from "./secrets.ts";

const secrets = [
  "My card is 4111 1111 1111 1111.",
  "Pay with 5500-0000-0000-0004, please.",
  "Our account is DE89 3704 0044 0532 0130 00.",
  "GB82WEST12345698765432 is where the rent goes.",
  `The key is ${["sk", "live", "4eC39HqLyjWDarjtT1zdp7dc"].join("_")}.`,
  `I use ${["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"].join("_")} for CI.`,
  `It is ${"AKIA"}IOSFODNN7EXAMPLE.`,
  "The token is eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x.",
  "My password is hunter2.",
  "The PIN of the door: 4711",
  "My pin code for the bank is 9120.",
  "My social security number is 078-05-1120.",
  "-----BEGIN RSA PRIVATE KEY-----",
  "Use q7Zp2LwX9vKf4TnB8sRy3HdM to sign in.",
];
const harmless = [
  "My phone number is 0221 4710 333.",
  "The order has the number 1234 5678 9012 3456.",
  "I work at https://example.com/department-of-agriculture/offices.",
  "We have 1000000000000 rows.",
  "I always forget my password.",
  "Our services run on Kubernetes in Frankfurt.",
  "I was born on 1984-03-14.",
  "The class is called AbstractSingletonProxyFactoryBean.",
  "I pin recipes to the wall of my kitchen.",
];

for (const text of secrets) test(`a secret: ${text}`, () => assert(holdsSecret(text)));
for (const text of harmless) test(`no secret: ${text}`, () => assert(!holdsSecret(text)));
