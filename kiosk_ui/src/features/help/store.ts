/** "Call a member of staff": one press, one call; a repeated press within the pause adds nothing. */
import { onScopeDispose, shallowRef } from 'vue';
import type { InjectionKey } from 'vue';
import type { HallConnection, Problem } from '@qingting/client';
import { asHallError, newKey } from '@qingting/client';

export const CALLED_FOR_MS = 20_000;

export type HelpState =
  | { readonly name: 'idle' }
  | { readonly name: 'calling' }
  | { readonly name: 'called' }
  | { readonly name: 'failed'; readonly problem: Problem };

export function useHelp(connection: HallConnection) {
  const state = shallowRef<HelpState>({ name: 'idle' });
  let timer: ReturnType<typeof setTimeout> | undefined;

  function settle(next: HelpState): void {
    state.value = next;
    clearTimeout(timer);
    timer = setTimeout(() => {
      state.value = { name: 'idle' };
    }, CALLED_FOR_MS);
  }

  async function call(): Promise<void> {
    if (state.value.name === 'calling' || state.value.name === 'called') return;
    state.value = { name: 'calling' };
    try {
      await connection.ask({ type: 'help.ask' }, { key: newKey() });
      settle({ name: 'called' });
    } catch (fault) {
      const { code, params } = asHallError(fault);
      settle({ name: 'failed', problem: { code, params } });
    }
  }

  onScopeDispose(() => clearTimeout(timer));
  return { state, call };
}

export type Help = ReturnType<typeof useHelp>;
export const HELP: InjectionKey<Help> = Symbol('help');
