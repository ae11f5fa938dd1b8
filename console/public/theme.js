// The chosen theme, before the first paint. Without a choice the system's preference holds.
(() => {
  try {
    const chosen = localStorage.getItem('presage.theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage can be forbidden; the system's preference holds then too.
  }
})();
