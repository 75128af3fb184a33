/** As much of Kubernetes' objects as the tests look at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: ManifestSpec;
  readonly data?: Readonly<Record<string, string>>;
  readonly automountServiceAccountToken?: boolean;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

interface ManifestSpec extends PodSpec {
  readonly replicas?: number;
  readonly template?: PodTemplate;
  readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
  readonly selector?: Labels & { readonly matchLabels?: Labels };
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly strategy?: { readonly rollingUpdate?: { readonly maxUnavailable?: number } };
  readonly type?: string;
  readonly clusterIP?: string;
  readonly ports?: readonly ServicePort[];
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
  readonly minReplicaCount?: number;
  readonly maxReplicaCount?: number;
  readonly minReplicas?: number;
  readonly maxReplicas?: number;
  readonly triggers?: readonly Trigger[];
  readonly scaleTargetRef?: { readonly name: string };
  readonly secretName?: string;
  readonly issuerRef?: object;
  readonly dnsNames?: readonly string[];
  readonly secretTargetRef?: readonly {
    readonly parameter: string;
    readonly name: string;
    readonly key: string;
  }[];
}

export interface Trigger {
  readonly type: string;
  readonly metadata: Labels;
  readonly authenticationRef?: { readonly name: string };
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort?: string | number;
}

export interface PolicyPeer {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
  readonly ipBlock?: { readonly cidr: string };
}

export interface PolicyRule {
  readonly from?: readonly PolicyPeer[];
  readonly to?: readonly PolicyPeer[];
  readonly ports?: readonly { readonly protocol?: string; readonly port: number | string }[];
}

interface PodTemplate {
  readonly metadata: { readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly restartPolicy?: string;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext;
  readonly initContainers?: readonly Container[];
  readonly containers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly topologySpreadConstraints?: readonly unknown[];
}

interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly readOnlyRootFilesystem?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly privileged?: boolean;
  readonly seccompProfile?: { readonly type: string };
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

interface Probe {
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly httpGet?: { readonly path: string; readonly port: string | number };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly securityContext?: SecurityContext;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly envFrom?: readonly {
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: object;
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

interface Volume {
  readonly name: string;
  readonly hostPath?: object;
  readonly emptyDir?: { readonly sizeLimit?: string };
  readonly projected?: {
    readonly sources: readonly {
      readonly secret?: {
        readonly name: string;
        readonly items?: readonly { readonly key: string; readonly path: string }[];
      };
    }[];
  };
}

/** A pod, or what makes pods. */
export interface Pod {
  /** Kind and name of what makes it. */
  readonly owner: string;
  readonly manifest: Manifest;
  readonly labels: Labels;
  readonly spec: PodSpec;
}

const ownersOfPods = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"];

export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests
    .filter(({ kind }) => ownersOfPods.includes(kind))
    .map((manifest) => {
      const template = manifest.spec?.jobTemplate?.spec.template ?? manifest.spec?.template;
      return {
        owner: `${manifest.kind} ${manifest.metadata.name}`,
        manifest,
        labels: (template?.metadata ?? manifest.metadata).labels ?? {},
        spec: template?.spec ?? manifest.spec ?? {},
      };
    });
}

/** The object of a kind and name. @throws where there is none */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

/** Whether labels have all that a selector asks for. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  return Object.entries(selector ?? {}).every(([name, value]) => labels[name] === value);
}

export const component = "app.kubernetes.io/component";
