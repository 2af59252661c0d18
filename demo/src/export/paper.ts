/** What is saved is for paper and for other pages: the light colours, whatever the page wears. */
export const paper = { ground: '#fbfaf7', ink: '#171b22', quiet: '#585d66', accent: '#1f3f77' };

export const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
