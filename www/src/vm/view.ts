/** Which panes are open: part of a share link. */

export const DOCK_TABS = ['lowering', 'trace', 'storage', 'types', 'gas', 'memory', 'modules', 'flow'] as const;
export type DockTab = (typeof DOCK_TABS)[number];

export const LOWERING_MODES = ['both', 'instances'] as const;
export type LoweringMode = (typeof LOWERING_MODES)[number];

export interface View {
  readonly source: boolean;
  readonly bytecode: boolean;
  readonly dock: DockTab;
  readonly lowering: LoweringMode;
}

export const DEFAULT_VIEW: View = { source: true, bytecode: true, dock: 'lowering', lowering: 'both' };
