// Reads {credential, did} as JSON from standard input, and writes whether the credential verifies with the keys of the DID document.
import {createVerifyCryptosuite} from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {text} from 'node:stream/consumers';
import * as vc from '@digitalbazaar/vc';

const {credential, did} = JSON.parse(await text(process.stdin));
const known = new Map([[did.id, did]]);
for(const method of did.verificationMethod) {
  known.set(method.id, {'@context': 'https://w3id.org/security/multikey/v1', ...method});
}

async function documentLoader(url) {
  const document = known.get(url);
  return document ? {contextUrl: null, documentUrl: url, document} : vc.defaultDocumentLoader(url);
}

const suite = new DataIntegrityProof({cryptosuite: createVerifyCryptosuite()});
const checkStatus = async () => ({verified: true});
const {verified} = await vc.verifyCredential({credential, suite, documentLoader, checkStatus});
console.log(verified);
