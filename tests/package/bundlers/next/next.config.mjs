const { EXTERNAL } = process.env;

export default { devIndicators: false, ...(EXTERNAL && { serverExternalPackages: [EXTERNAL] }) };
