/** Dark or light: as the system has it until the user says otherwise. */

const KEY = 'monomove.theme';

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Sets what the user chose before, if anything. */
export function initTheme(): void {
  const theme = stored();
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
}

export function toggleTheme(): void {
  const root = document.documentElement;
  const dark =
    root.dataset.theme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : root.dataset.theme === 'dark';
  root.dataset.theme = dark ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, root.dataset.theme);
  } catch {
    // Without storage the choice holds for this visit.
  }
}
