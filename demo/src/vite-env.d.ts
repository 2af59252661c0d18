declare module 'minilm-files/config.json' {
  const config: { model_type: string; [key: string]: unknown };
  export default config;
}
