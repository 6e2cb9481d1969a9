{{/* Labels of every object. */}}
{{- define "valtuus.labels" -}}
app.kubernetes.io/name: valtuus
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: valtuus
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What the pods of a component are selected by. Give a list: the root, the component. */}}
{{- define "valtuus.selector" -}}
app.kubernetes.io/name: valtuus
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "valtuus.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What archives run where they name no image: the manager's own unless told otherwise. */}}
{{- define "valtuus.archiveImage" -}}
{{ .Values.archives.image | default (include "valtuus.image" .) }}
{{- end }}

{{/* The objects of the files that a pattern selects, with the chart's labels. Give a dict: root, pattern, and annotations and
labels to add. The files are copies of what is in config/: make generate brings them here. */}}
{{- define "valtuus.files" -}}
{{- $labels := merge (dict) (.labels | default dict) (include "valtuus.labels" .root | fromYaml) -}}
{{- $annotations := .annotations | default dict -}}
{{- $namespace := .namespace -}}
{{- range $path, $content := .root.Files.Glob .pattern }}
{{- range $text := regexSplit "(?m)^---\\s*$" (toString $content) -1 }}
{{- $object := fromYaml $text }}
{{- if $object }}
{{- $_ := set $object.metadata "labels" (merge (dict) ($object.metadata.labels | default dict) $labels) }}
{{- if $annotations }}
{{- $_ := set $object.metadata "annotations" (merge (dict) ($object.metadata.annotations | default dict) $annotations) }}
{{- end }}
{{- if $namespace }}
{{- $_ := set $object.metadata "namespace" $namespace }}
{{- end }}
---
{{ toYaml $object }}
{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What runs both kinds of pods under the Pod Security level restricted. */}}
{{- define "valtuus.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "valtuus.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end }}

{{/* Ways out to the API server and to name resolution. */}}
{{- define "valtuus.egress" -}}
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}
