/** The call: a function and its typed arguments on one line. */

import type { FunctionAbi } from 'monomove';
import { createResource, For, Index, type JSX, Show } from 'solid-js';
import { shortType } from '../lib/values';
import { defaultCall, type FieldProblem, fieldsOf } from '../vm/call';
import { splitFunction } from '../vm/program';
import { useApp } from './context';

export function CallForm(): JSX.Element {
  const { dbg } = useApp();
  const call = () => dbg.program().call;
  const [foreign] = createResource(
    () => {
      const name = call().function;
      const own = dbg.modules().some((m) => m.id === splitFunction(name)?.module);
      return name === '' || own || dbg.status().kind === 'working' ? undefined : name;
    },
    (name) => dbg.functionAbi(name).catch(() => undefined),
  );
  const abi = (): FunctionAbi | undefined => {
    const parts = splitFunction(call().function);
    const own = dbg.modules().find((m) => m.id === parts?.module);
    return own?.remote.abi.functions.find((fn) => fn.name === parts?.function) ?? foreign();
  };
  const fields = () => {
    const fn = abi();
    return fn === undefined ? undefined : fieldsOf(fn, call().typeArguments);
  };
  const problems = (): readonly FieldProblem[] => {
    const status = dbg.status();
    return status.kind === 'refused' ? (status.fields ?? []) : [];
  };
  const problem = (field: FieldProblem['field'], index: number): string | undefined =>
    problems().find((p) => p.field === field && p.index === index)?.message;
  const choose = (name: string): void => {
    const parts = splitFunction(name);
    const module = dbg.modules().find((m) => m.id === parts?.module);
    const fn = module?.remote.abi.functions.find((f) => f.name === parts?.function);
    if (module === undefined || fn === undefined) return;
    dbg.edit({ call: defaultCall(module.id, fn) });
    void dbg.record();
  };
  const replaced = (list: readonly string[], index: number, text: string): string[] => {
    const copy = [...list];
    copy[index] = text;
    return copy;
  };

  const field = (
    kind: FieldProblem['field'],
    index: number,
    label: string,
    value: string,
    set: (text: string) => void,
  ) => (
    <label class="field" classList={{ wrong: problem(kind, index) !== undefined }}>
      <span>{label}</span>
      <input
        type="text"
        spellcheck={false}
        autocomplete="off"
        value={value}
        size={Math.max(4, Math.min(28, value.length + 1))}
        aria-invalid={problem(kind, index) !== undefined}
        aria-label={`${kind} ${index}: ${label}`}
        title={problem(kind, index) ?? label}
        onInput={(event) => set(event.currentTarget.value)}
      />
      <Show when={problem(kind, index)}>{(message) => <em role="alert">{message()}</em>}</Show>
    </label>
  );

  return (
    <form
      class="call"
      aria-label="Call"
      onSubmit={(event) => {
        event.preventDefault();
        void dbg.record();
      }}
    >
      <label class="field function">
        <span class="visually-hidden">Function</span>
        <select value={call().function} onChange={(event) => choose(event.currentTarget.value)}>
          <Show when={!dbg.modules().some((m) => m.id === splitFunction(call().function)?.module)}>
            <option value={call().function}>{call().function === '' ? 'no function' : call().function}</option>
          </Show>
          <For each={dbg.modules()}>
            {(module) => (
              <optgroup label={module.id}>
                <For each={module.remote.abi.functions.filter((fn) => !fn.native)}>
                  {(fn) => (
                    <option
                      value={`${module.id}::${fn.name}`}
                      selected={`${module.id}::${fn.name}` === call().function}
                    >
                      {module.remote.abi.name}::{fn.name}
                    </option>
                  )}
                </For>
              </optgroup>
            )}
          </For>
        </select>
      </label>
      <Show when={fields()}>
        {(of) => (
          <>
            <Index each={of().typeParameters}>
              {(label, i) =>
                field('type', i, label(), call().typeArguments[i] ?? '', (text) =>
                  dbg.editCall({ typeArguments: replaced(call().typeArguments, i, text) }),
                )
              }
            </Index>
            <Index each={Array.from({ length: of().signers })}>
              {(_, i) =>
                field('signer', i, 'signer', call().signers[i] ?? '', (text) =>
                  dbg.editCall({ signers: replaced(call().signers, i, text) }),
                )
              }
            </Index>
            <Index each={of().parameters}>
              {(type, i) =>
                field('argument', i, shortType(type()), call().args[i] ?? '', (text) =>
                  dbg.editCall({ args: replaced(call().args, i, text) }),
                )
              }
            </Index>
          </>
        )}
      </Show>
      <label class="field gas-limit">
        <span>gas limit</span>
        <input
          type="text"
          inputmode="numeric"
          value={dbg.program().config.gasLimit}
          size={13}
          title="Internal gas units of the call"
          onInput={(event) => {
            const digits = event.currentTarget.value.replace(/[\s_]/g, '');
            if (/^\d{1,19}$/.test(digits)) dbg.editConfig({ gasLimit: digits });
          }}
        />
      </label>
      <button type="submit" class="primary" title="Record this call (Ctrl+Enter)">
        Record
      </button>
      <Show when={dbg.program().note}>
        <span class="note">{dbg.program().note}</span>
      </Show>
    </form>
  );
}
