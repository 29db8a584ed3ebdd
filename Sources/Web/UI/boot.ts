// Runs before first paint, so that a chosen theme or density never flashes. `theme` in the address is for pictures.
try {
  const theme = new URLSearchParams(location.search).get('theme') ?? localStorage.getItem('tl.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  const density = localStorage.getItem('tl.density');
  if (density === 'compact' || density === 'relaxed') document.documentElement.dataset['density'] = density;
} catch {
  // Storage may be blocked; the system's preference then decides.
}
