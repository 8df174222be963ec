// The floor: the same resources, written as plain L1 constructs in JavaScript and synthesized without any check.
// usage: node floor.js <aws-cdk-lib folder> <cloud assembly> <output folder>
const fs = require('fs');
const path = require('path');
const [library, assembly, outdir] = process.argv.slice(2);
const cdk = require(library);

const manifest = JSON.parse(fs.readFileSync(path.join(assembly, 'manifest.json')));
const app = new cdk.App({ outdir, analyticsReporting: false });
for (const [name, artifact] of Object.entries(manifest.artifacts)) {
  if (artifact.type !== 'aws:cloudformation:stack') continue;
  const [account, region] = artifact.environment.slice('aws://'.length).split('/');
  const template = JSON.parse(fs.readFileSync(path.join(assembly, artifact.properties.templateFile)));
  const stack = new cdk.Stack(app, name, { env: { account, region } });
  for (const [id, resource] of Object.entries(template.Resources)) {
    new cdk.CfnResource(stack, id, { type: resource.Type, properties: resource.Properties }).overrideLogicalId(id);
  }
}
app.synth();
