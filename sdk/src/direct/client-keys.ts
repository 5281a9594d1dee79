import { curveKeyPair } from 'zeromq';

let keys: { readonly curvePublicKey: string; readonly curveSecretKey: string } | undefined;

/** This process's own CURVE keys: made once, known to nobody. The token says who is allowed, the keys encrypt. */
export function clientKeys(): { curvePublicKey: string; curveSecretKey: string } {
  if (keys === undefined) {
    const { publicKey, secretKey } = curveKeyPair();
    keys = { curvePublicKey: publicKey, curveSecretKey: secretKey };
  }
  return { ...keys };
}
