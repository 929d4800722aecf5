import { ext } from '../api/client';
import type { components } from '../api/extension';

export type SignedIn = NonNullable<components['schemas']['Session']['user']>;

class SessionState {
  user = $state.raw<SignedIn | null>(null);
  version = $state('');
  /** Until the server has told who is signed in, nothing is shown. */
  isKnown = $state(false);

  async load(): Promise<void> {
    const { data } = await ext.GET('/ext/v1/session');
    this.user = data?.user ?? null;
    this.version = data?.version ?? '';
    this.isKnown = true;
  }

  async signIn(token: string): Promise<void> {
    const { data } = await ext.POST('/ext/v1/session', { body: { token } });
    this.user = data?.user ?? null;
  }

  async signOut(): Promise<void> {
    await ext.DELETE('/ext/v1/session');
    this.user = null;
  }
}

export const session = new SessionState();
