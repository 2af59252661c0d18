import { examplePass } from '../example';

/** The opening sentence. */
export const inOrder = examplePass.text;

/** The same words and full stop in another order, the same for everyone. */
export const scrambled = 'Cross tired it animal too the because not street was the did.';
