/** The lower part of the screen: one of several views, by tabs. */

import { For, type JSX, Match, Switch } from 'solid-js';
import { DOCK_TABS, type DockTab } from '../vm/view';
import { useApp } from './context';
import { FlowTab } from './tabs/FlowTab';
import { GasTab } from './tabs/GasTab';
import { LoweringTab } from './tabs/LoweringTab';
import { MemoryTab } from './tabs/MemoryTab';
import { ModulesTab } from './tabs/ModulesTab';
import { StorageTab } from './tabs/StorageTab';
import { TraceTab } from './tabs/TraceTab';
import { TypesTab } from './tabs/TypesTab';

const TITLES: Readonly<Record<DockTab, string>> = {
  lowering: 'Lowering',
  trace: 'Trace',
  storage: 'Storage',
  types: 'Types',
  gas: 'Gas',
  memory: 'Memory',
  modules: 'Modules',
  flow: 'Flow',
};

export function Dock(): JSX.Element {
  const app = useApp();
  const turn = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    const next = DOCK_TABS[(DOCK_TABS.indexOf(app.view().dock) + by + DOCK_TABS.length) % DOCK_TABS.length];
    if (next === undefined) return;
    event.preventDefault();
    app.setView({ dock: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="dock">
      <div class="tabs" role="tablist" aria-label="Views" onKeyDown={turn}>
        <For each={DOCK_TABS}>
          {(tab) => (
            <button
              type="button"
              role="tab"
              id={`tab-${tab}`}
              aria-selected={app.view().dock === tab}
              aria-controls="dock-panel"
              tabindex={app.view().dock === tab ? 0 : -1}
              onClick={() => app.setView({ dock: tab })}
            >
              {TITLES[tab]}
            </button>
          )}
        </For>
      </div>
      <div class="dock-panel" id="dock-panel" role="tabpanel" aria-labelledby={`tab-${app.view().dock}`}>
        <Switch>
          <Match when={app.view().dock === 'lowering'}>
            <LoweringTab />
          </Match>
          <Match when={app.view().dock === 'trace'}>
            <TraceTab />
          </Match>
          <Match when={app.view().dock === 'storage'}>
            <StorageTab />
          </Match>
          <Match when={app.view().dock === 'types'}>
            <TypesTab />
          </Match>
          <Match when={app.view().dock === 'gas'}>
            <GasTab />
          </Match>
          <Match when={app.view().dock === 'memory'}>
            <MemoryTab />
          </Match>
          <Match when={app.view().dock === 'modules'}>
            <ModulesTab />
          </Match>
          <Match when={app.view().dock === 'flow'}>
            <FlowTab />
          </Match>
        </Switch>
      </div>
    </div>
  );
}
